"""Folders and archives that are damaged, hostile or odd."""

import gzip
import io
import json
import os
import tarfile

import numpy as np
import pytest
import trimesh

from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources import archives, layouts
from support.shape_folders import CHAIR, TABLE, grid, ids, pack, put, vox32_source


def refused(source):
    """What is said of each item that cannot be read, by its path."""
    said = {}
    for item in source.items():
        try:
            source.read(item)
        except UserError as error:
            said[item.path] = str(error)
    return said


def test_links_are_followed(vox32, tmp_path):
    other, chairs = tmp_path / "other disk", vox32 / CHAIR
    put(other / "model" / "model.binvox", binvox.write(grid(5)))
    (vox32 / "02691156").symlink_to(other)  # a category
    (chairs / "c").symlink_to(other / "model")  # a model
    (chairs / "d").mkdir()
    (chairs / "d" / "model.binvox").symlink_to(other / "model" / "model.binvox")
    (chairs / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to(vox32)  # the folder itself
    models = [f"{CHAIR}/{name}" for name in "abcd"]
    for root in (vox32, tmp_path / "link"):
        source = vox32_source(root)
        assert ids(source) == ["02691156/model", *models, f"{TABLE}/a"] and not refused(source)
    before = source.fingerprint()
    put(other / "model" / "model.binvox", b"changed")
    assert vox32_source(root).fingerprint() != before


def test_links_between_meshes(tmp_path):
    data = trimesh.creation.box().export(file_type="off").encode()
    put(tmp_path / "other" / "deep" / "b.off", data)
    put(tmp_path / "in" / "chair" / "a" / "a.off", data)
    (tmp_path / "in" / "chair" / "up").symlink_to("..")
    (tmp_path / "in" / "chair" / "a" / "out").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "deep" / "back").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "all").symlink_to("/")
    (tmp_path / "in" / "chair" / "self").symlink_to("self")
    source = layouts.open_source("meshes", str(tmp_path / "in"), [], 8)
    assert ids(source) == ["chair/a/a.off", "chair/a/out/deep/b.off"] and not refused(source)


def test_a_link_to_a_category_that_is_gone_is_named(vox32):
    (vox32 / "02691156").symlink_to("/gone/02691156")
    (vox32 / ".hidden").symlink_to("/gone")
    assert refused(vox32_source(vox32)) == {
        "02691156": f"{vox32}/02691156 is a symbolic link to /gone/02691156, which does not exist: "
        "correct the link or remove it"
    }
    assert not refused(vox32_source(vox32, ["chair"]))


@pytest.mark.parametrize("packed", [False, True])
def test_names_that_are_not_text_are_refused_one_by_one(vox32, tmp_path, packed):
    put(vox32 / CHAIR / os.fsdecode(b"x\xff\n") / "model.binvox", binvox.write(grid(0)))
    source = vox32_source(pack(vox32, tmp_path / "a.tgz") if packed else vox32)
    [(path, said)] = refused(source).items()
    assert path == f"{CHAIR}/x\udcff\n/model.binvox"
    assert f"{CHAIR}/x\\udcff\\n/model.binvox" in said and "not UTF-8" in said
    assert json.dumps(source.fingerprint())


def refuse(monkeypatch, call, refused):
    """Makes a function of `os` refuse a path, which permissions do not do for root."""
    allowed = getattr(os, call)

    def refusing(path, *args, **kwargs):
        if str(path) == str(refused):
            raise PermissionError(13, "Permission denied")
        return allowed(path, *args, **kwargs)

    monkeypatch.setattr(os, call, refusing)


def test_folders_that_may_not_be_listed_are_named(vox32, monkeypatch):
    with monkeypatch.context() as patch:
        refuse(patch, "scandir", vox32 / CHAIR)
        with pytest.raises(UserError, match=rf"{CHAIR} cannot be listed \(Permission denied\)"):
            vox32_source(vox32).items()


def test_files_that_may_not_be_looked_at_are_not_left_out(vox32, monkeypatch):
    with monkeypatch.context() as patch:
        refuse(patch, "stat", vox32 / CHAIR / "a/model.binvox")
        assert f"{CHAIR}/a" in ids(vox32_source(vox32))


def test_pipes_are_not_waited_for(vox32, tmp_path):
    (vox32 / CHAIR / "b" / "model.binvox").unlink()
    os.mkfifo(vox32 / CHAIR / "b" / "model.binvox")
    assert ids(vox32_source(vox32)) == [f"{CHAIR}/a", f"{TABLE}/a"]
    (tmp_path / "only").mkdir()
    os.mkfifo(tmp_path / "only" / "a.tgz")
    with pytest.raises(UserError, match="holds no shapes"):
        vox32_source(tmp_path / "only").items()


def archive_of(path, *members):
    """An archive of (name, bytes, further attributes of its TarInfo)."""
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, data, *more in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            for key, value in more[0].items() if more else ():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))
    return path


def name_of(model):
    return f"ShapeNetVox32/{CHAIR}/{model}/model.binvox"


def test_an_archive_cannot_reach_outside(tmp_path):
    secret = put(tmp_path / "secret", binvox.write(grid(0)))
    path = archive_of(
        tmp_path / "evil.tgz",
        (f"../{CHAIR}/a/model.binvox", secret.read_bytes()),
        (f"/{CHAIR}/b/model.binvox", secret.read_bytes()),
        (name_of("c"), b"", {"type": tarfile.SYMTYPE, "linkname": str(secret)}),
    )
    with pytest.raises(UserError, match="holds no shapes"):
        vox32_source(path).items()


SECOND = 512 + 1024  # where the header of the second member is


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("empty.tar", lambda data: b""),
        ("empty.tgz", lambda data: b""),
        ("cut.tar", lambda data: data[: SECOND + 700]),
        ("cut.tgz", lambda data: gzip.compress(data)[:-9]),
        ("checksum.tar", lambda data: data[: SECOND + 100] + b"?" + data[SECOND + 101 :]),
        # Zeros are what an archive ends with.
        ("zeros.tar", lambda data: data[:SECOND] + bytes(512) + data[SECOND + 512 :]),
    ],
)
def test_a_damaged_archive_is_named(tmp_path, name, damage):
    path = archive_of(tmp_path / "a.tar", *((name_of(m), bytes(700)) for m in "abc"))
    path = put(tmp_path / name, damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"{path.name} is truncated or not a tar archive"):
        vox32_source(path).items()


@pytest.mark.parametrize(
    ("limit", "value", "member", "said"),
    [
        ("_MAX_ARCHIVE", 1 << 20, ("zeros", bytes(2 << 20)), "unpacks to more than"),
        ("_MAX_MEMBERS", 0, ("a", b""), "has more than 0 members"),
        (
            "_MAX_HEADER",
            100,
            ("././@LongLink", bytes(200), {"type": tarfile.GNUTYPE_LONGNAME}),
            "a header claims 200 bytes",
        ),
    ],
)
def test_archives_that_claim_too_much_are_refused(
    tmp_path, monkeypatch, limit, value, member, said
):
    monkeypatch.setattr(archives, limit, value)
    path = archive_of(tmp_path / "bomb.tgz", member)
    with pytest.raises(UserError, match=rf"bomb\.tgz .*{said}"):
        vox32_source(path).items()


def test_of_two_files_in_an_archive_the_later_counts_if_their_names_are_equal(tmp_path):
    first, second = binvox.write(grid(0)), binvox.write(grid(1))
    path = archive_of(tmp_path / "a.tgz", (name_of("a"), first), (f"./{name_of('a')}", second))
    source = vox32_source(path)
    np.testing.assert_array_equal(source.read(*source.items()), grid(1))
    path = archive_of(tmp_path / "b.tgz", (name_of("a"), first), (f"old/{name_of('a')}", second))
    with pytest.raises(UserError, match=r"b\.tgz has two files for 03001627/a/model\.binvox"):
        vox32_source(path).items()
