"""Loaded before any test, so that TensorFlow is as it is for users of the commands."""

import pytest

from ptn_semi.utils import cli

with cli.loading():
    from ptn_semi.evaluation import workdir_scores
    from ptn_semi.images import natural_background
    from ptn_semi.training import trainer


@pytest.fixture(autouse=True)
def without_the_network_for_photographs(monkeypatch):
    """A photograph that the test means to be refused must not start a download."""
    monkeypatch.setattr(natural_background, "is_installed", lambda: False)


@pytest.fixture(scope="session", autouse=True)
def few_shapes_as_written():
    """Shapes as written take a tenth of a second each in models without a viewpoint estimator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "_NUM_WRITTEN", 2)
        patch.setattr(workdir_scores, "_MIN_WRITTEN", 2)
        yield


# Files that take longest. With one file after the other given to whichever process is free, a long
# one at the end would leave the other processes waiting.
_LONGEST = (
    "test_distribution",
    "test_tutorial",
    "test_resumed_runs",
    "test_finer_runs",
    "test_kills",
    "test_disks",
    "test_exports",
    "test_train_steps",
)


def pytest_collection_modifyitems(items):
    """Puts the longest files first; `make test` keeps this order (--no-loadscope-reorder)."""
    rank = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))
