"""Repositories of the Hugging Face Hub, from a cache on the disk and without a network."""

import pathlib

import pytest

from ptn_semi.utils import hub
from ptn_semi.utils.errors import UserError

huggingface_hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is missing")
errors = pytest.importorskip("huggingface_hub.errors")
constants = pytest.importorskip("huggingface_hub.constants")
NAMES = ("model.json", "model.npz")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache of huggingface_hub, empty, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.download.cache_clear()
    yield tmp_path
    hub.download.cache_clear()


def store(cache, *names):
    """Puts files into the cache as a download does; returns their folder."""
    repository = cache / "models--user--chairs"
    folder = repository / "snapshots" / ("0" * 40)
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(folder.name)
    for name in names:
        (folder / name).write_text("{}")
    return folder


def test_downloaded_files_are_found_without_a_network(cache):
    folder = store(cache, *NAMES)
    assert hub.download("hf://user/chairs", NAMES) == folder


def test_repositories_without_a_model_are_refused(cache):
    store(cache, "model.json")
    with pytest.raises(UserError, match=r"hf://user/chairs holds no model.npz: name a repository"):
        hub.download("hf://user/chairs", NAMES)


def test_without_a_network_only_downloaded_files_are_there():
    with pytest.raises(UserError, match=r"hf://user/chairs cannot be reached .* connect to the"):
        hub.download("hf://user/chairs", NAMES)


def missing():
    kind = errors.RepositoryNotFoundError
    return kind.__new__(kind)  # its constructor needs an answer of an HTTP library


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (missing(), "hf://user/chairs does not exist or is not open to you: correct the name"),
        (OSError("disk full\n..."), r"could not be downloaded \(disk full\): try again later"),
    ],
)
def test_failed_downloads_are_explained(monkeypatch, error, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    with pytest.raises(UserError, match=said):
        hub.download("hf://user/chairs", NAMES)


@pytest.mark.parametrize("address", ["hf://chairs", "hf://user/chairs/2", "hf://", "hf://a b/c"])
def test_addresses_name_a_user_and_a_model(address):
    with pytest.raises(UserError, match="does not name a repository: write hf://user/model"):
        hub.download(address, NAMES)


def test_local_paths_are_no_addresses():
    assert not hub.is_address(pathlib.Path("hf:/user/model"))
    assert hub.is_address("hf://user/model")
