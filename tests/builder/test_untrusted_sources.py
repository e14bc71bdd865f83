"""Folders and archives that are damaged, hostile or odd."""

import io
import json
import os
import subprocess
import tarfile

import numpy as np
import pytest
import trimesh

from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks.sources import archives, layouts
from support.shape_folders import CHAIR, TABLE, grid, ids, pack, put


def test_an_archive_cannot_reach_outside(tmp_path):
    secret = put(tmp_path / "secret", binvox.write(grid(0)))
    path = tmp_path / "evil.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in (f"../{CHAIR}/a/model.binvox", f"/{CHAIR}/b/model.binvox"):
            member = tarfile.TarInfo(name)
            member.size = secret.stat().st_size
            archive.addfile(member, io.BytesIO(secret.read_bytes()))
        link = tarfile.TarInfo(f"x/{CHAIR}/c/model.binvox")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
    with pytest.raises(UserError, match="holds no shapes"):
        layouts.open_source("shapenet_vox32", str(path), [], 32).items()


def test_a_huge_member_of_an_archive_is_named(vox32, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_MAX_MEMBER", 100)
    source = layouts.open_source("shapenet_vox32", str(pack(vox32, tmp_path / "a.tgz")), [], 32)
    with pytest.raises(UserError, match=f"{CHAIR}/a/model.binvox is larger"):
        source.read(source.items()[0])


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.6, 0.8, 0.99, 0.9999])
def test_a_cut_archive_is_named(vox32, tmp_path, share):
    path = pack(vox32, tmp_path / "cut.tgz")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match=r"cut\.tgz"):
        layouts.open_source("shapenet_vox32", str(path), [], 32).items()


def refused(source):
    """What is said of each item that cannot be read, by its path."""
    said = {}
    for item in source.items():
        try:
            source.read(item)
        except UserError as error:
            said[item.path] = str(error)
    return said


def test_links_may_not_lead_out_of_the_folder(vox32, tmp_path):
    secret = tmp_path / "outside"
    put(secret / "model" / "model.binvox", binvox.write(grid(5)))
    (vox32 / "02691156").symlink_to(secret)  # a category
    (vox32 / CHAIR / "c").symlink_to(secret / "model")  # a model
    put(vox32 / CHAIR / "d" / "model.binvox", b"").unlink()
    (vox32 / CHAIR / "d" / "model.binvox").symlink_to(secret / "model" / "model.binvox")
    (vox32 / CHAIR / "e").symlink_to(vox32 / CHAIR / "a")  # this one stays inside
    (vox32 / CHAIR / "loop").symlink_to("loop")
    (vox32 / "04256520").symlink_to("04256520")
    (tmp_path / "link").symlink_to(vox32)  # and so does all that is given by a link
    for root in (vox32, tmp_path / "link"):
        source = layouts.open_source("shapenet_vox32", str(root), [], 32)
        said = refused(source)
        assert {path: text.split(" is a symbolic link")[0] for path, text in said.items()} == {
            "02691156": f"{root}/02691156",
            f"{CHAIR}/c/model.binvox": f"{root}/{CHAIR}/c",
            f"{CHAIR}/d/model.binvox": f"{root}/{CHAIR}/d/model.binvox",
        }
        assert len(ids(source)) == 7


def test_links_between_meshes(tmp_path, monkeypatch):
    data = trimesh.creation.box().export(file_type="off").encode()
    put(tmp_path / "outside" / "deep" / "secret.off", data)
    put(tmp_path / "in" / "chair" / "a" / "a.off", data)
    (tmp_path / "in" / "chair" / "up").symlink_to("..")
    (tmp_path / "in" / "chair" / "a" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "chair" / "self").symlink_to("self")
    source = layouts.open_source("meshes", str(tmp_path / "in"), [], 8)
    assert ids(source) == ["chair/a/a.off", "chair/a/out"]
    monkeypatch.setattr(os, "scandir", lambda path: pytest.fail(f"{path} is listed"))
    assert "in/chair/a/out is a symbolic link" in refused(source)["chair/a/out"]


def test_names_that_are_no_text_can_be_left_out(vox32, tmp_path):
    put(vox32 / CHAIR / os.fsdecode(b"x\xff\n") / "model.binvox", binvox.write(grid(0)))
    packed = pack(vox32, tmp_path / "a.tgz")
    for where in (vox32, packed):
        source = layouts.open_source("shapenet_vox32", str(where), [], 32)
        [(path, said)] = refused(source).items()
        assert path == f"{CHAIR}/x\udcff\n/model.binvox"
        assert f"{CHAIR}/x\\udcff\\n/model.binvox" in said
        assert "not UTF-8" in said
        assert json.dumps(source.fingerprint())


def test_folders_may_be_deep_but_not_beyond_what_can_be_opened(tmp_path):
    data = trimesh.creation.box().export(file_type="off").encode()
    (tmp_path / "chair").mkdir()
    deep = str(tmp_path / "chair")
    for _ in range(1200):  # more than Python's stack holds
        deep += "/d"
        os.mkdir(deep)
    with open(f"{deep}/a.off", "wb") as file:
        file.write(data)
    (item,) = layouts.open_source("meshes", str(tmp_path), [], 8).items()
    assert item.path.count("/") == 1201
    parent = os.open(tmp_path / "chair", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("n" * 255, dir_fd=parent)
        parent, above = os.open("n" * 255, os.O_RDONLY, dir_fd=parent), parent
        os.close(above)
    os.close(parent)
    try:
        source = layouts.open_source("meshes", str(tmp_path), [], 8)
        [(path, said)] = refused(source).items()
        assert path.endswith("nnn") and "nnn cannot be read (File name too long)" in said
    finally:  # pytest's own clearing up goes no deeper than Python's stack
        subprocess.run(["rm", "-rf", str(tmp_path / "chair")], check=True)


def test_what_cannot_be_looked_at_is_not_taken_for_missing(vox32, monkeypatch):
    stat = os.stat

    def refusing(path, *args, **kwargs):
        if str(path).endswith(f"{CHAIR}/a/model.binvox"):
            raise PermissionError(13, "Permission denied")
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refusing)
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    assert (
        "a/model.binvox cannot be read (Permission denied)"
        in refused(source)[f"{CHAIR}/a/model.binvox"]
    )


@pytest.mark.parametrize("layout", ["shapenet_vox32", "voxels"])
def test_a_folder_that_cannot_be_listed_stops_no_other(vox32, monkeypatch, layout):
    scandir = os.scandir

    def refusing(path):
        if path == str(vox32 / CHAIR):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    source = layouts.open_source(layout, str(vox32), [], 32)
    assert [item.category for item in source.items()] == ["chair", "table"]
    said = refused(source)
    assert list(said) == [CHAIR]
    assert f"{vox32 / CHAIR} cannot be listed (Permission denied): make it readable" in said[CHAIR]
    assert source.read(source.items()[1]).any()


def test_pipes_are_not_waited_at(vox32, tmp_path):
    os.mkfifo(vox32 / CHAIR / "b" / "pipe")
    (vox32 / CHAIR / "b" / "model.binvox").unlink()
    (vox32 / CHAIR / "b" / "pipe").rename(vox32 / CHAIR / "b" / "model.binvox")
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    assert ids(source) == [f"{CHAIR}/a", f"{TABLE}/a"]
    (tmp_path / "only").mkdir()
    os.mkfifo(tmp_path / "only" / "a.tgz")
    with pytest.raises(UserError, match="holds no shapes"):
        layouts.open_source("shapenet_vox32", str(tmp_path / "only"), [], 32).items()


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


def items_of(path):
    return layouts.open_source("shapenet_vox32", str(path), [], 32).items()


@pytest.mark.parametrize("damage", ["checksum", "cut", "zeros", "size"])
def test_a_damaged_header_is_not_taken_for_an_archives_end(tmp_path, damage):
    path = archive_of(tmp_path / "a.tar", *((name_of(m), bytes(700)) for m in "abc"))
    data = bytearray(path.read_bytes())
    second = 512 + 1024  # where the second member's header is
    assert data[second : second + 8] == b"ShapeNet"
    if damage == "checksum":
        data[second + 100] ^= 1
    elif damage == "cut":
        del data[second:]
    elif damage == "zeros":
        data[second : second + 512] = bytes(512)
    else:
        member = tarfile.TarInfo.frombuf(bytes(data[second : second + 512]), "utf-8", "strict")
        member.size = -512
        data[second : second + 512] = member.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.tar is truncated or not a tar archive"):
        items_of(path)


def test_archives_that_claim_memory_or_time(tmp_path, monkeypatch):
    long_name = {"type": tarfile.GNUTYPE_LONGNAME}
    path = archive_of(tmp_path / "name.tar", ("././@LongLink", bytes(2 << 20), long_name))
    with pytest.raises(UserError, match=r"name\.tar .*a header claims 2097152 bytes"):
        items_of(path)
    for sparse in ({"type": tarfile.GNUTYPE_SPARSE}, {"pax_headers": {"GNU.sparse.major": "1"}}):
        path = archive_of(tmp_path / "sparse.tar", (name_of("a"), bytes(512), sparse))
        with pytest.raises(UserError, match=r"sparse\.tar .*sparse files"):
            items_of(path)
    digits = {"type": tarfile.XHDTYPE}  # over which tarfile takes hours
    path = archive_of(tmp_path / "digits.tar", ("pax", b"1" * 60_000, digits))
    with pytest.raises(UserError, match=r"digits\.tar is truncated or not"):
        items_of(path)
    path = archive_of(tmp_path / "time.tar", (name_of("a"), b"", {"pax_headers": {"mtime": "inf"}}))
    with pytest.raises(UserError, match=r"time\.tar is truncated or not"):
        items_of(path)
    monkeypatch.setattr(archives, "_MAX_ARCHIVE", 1 << 20)
    path = archive_of(tmp_path / "bomb.tgz", ("zeros", bytes(2 << 20)))  # which nobody asked for
    assert path.stat().st_size < 5000
    with pytest.raises(UserError, match=r"bomb\.tgz unpacks to more than"):
        items_of(path)
    path = archive_of(tmp_path / "many.tgz", *((name_of(m), b"") for m in range(600)))
    with pytest.raises(UserError, match=r"many\.tgz unpacks to more than"):
        items_of(path)


def test_of_two_files_in_an_archive(tmp_path):
    first, second = binvox.write(grid(0)), binvox.write(grid(1))
    path = archive_of(tmp_path / "a.tgz", (name_of("a"), first), (f"./{name_of('a')}", second))
    source = layouts.open_source("shapenet_vox32", str(path), [], 32)
    np.testing.assert_array_equal(source.read(*source.items()), grid(1))
    path = archive_of(tmp_path / "b.tgz", (name_of("a"), first), (f"old/{name_of('a')}", second))
    with pytest.raises(UserError, match=r"b\.tgz has two files for 03001627/a/model\.binvox"):
        items_of(path)
