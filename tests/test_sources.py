"""Listing and reading shapes of every layout."""

import io
import json
import os
import pickle
import subprocess
import tarfile

import numpy as np
import pytest
import trimesh

from ptn_semi import settings
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from shapenet_posed_masks.formats import grids
from shapenet_posed_masks.sources import archives, folders, layouts, taxonomy
from shapenet_posed_masks.sources.base import Item

CHAIR, TABLE = "03001627", "04379243"


def grid(seed, n=32):
    voxels = np.random.default_rng(seed).random((n, n, n)) < 0.1
    voxels[0, 0, 0] = voxels[-1, -1, -1] = True
    return voxels


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def vox32(tmp_path):
    root = tmp_path / "ShapeNetVox32"
    for seed, (synset, model) in enumerate([(TABLE, "a"), (CHAIR, "b"), (CHAIR, "a")]):
        put(root / synset / model / "model.binvox", binvox.write(grid(seed)))
    put(root / CHAIR / "notes" / "readme.txt", b"no shape")
    put(root / "taxonomy.json", b"{}")
    return root


def pack(root, path, prefix="ShapeNetVox32"):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(root, prefix)
    return path


def ids(source):
    return [item.model_id for item in source.items()]


def test_vox32_lists_in_order_and_reads_as_it_is(vox32):
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    assert source.items() == [
        Item(f"{CHAIR}/a", "chair", f"{CHAIR}/a/model.binvox"),
        Item(f"{CHAIR}/b", "chair", f"{CHAIR}/b/model.binvox"),
        Item(f"{TABLE}/a", "table", f"{TABLE}/a/model.binvox"),
    ]
    for seed, i in ((0, 2), (1, 1), (2, 0)):
        np.testing.assert_array_equal(source.read(source.items()[i]), grid(seed))


def test_vox32_at_another_size(vox32):
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 64)
    voxels = source.read(source.items()[0])
    np.testing.assert_array_equal(voxels[1::2, ::2, 1::2], grid(2))


@pytest.mark.parametrize("asked", [["chair"], [CHAIR], ["Chair "], [CHAIR, "chair"]])
def test_categories_by_name_or_synset(vox32, asked):
    source = layouts.open_source("shapenet_vox32", str(vox32), asked, 32)
    assert ids(source) == [f"{CHAIR}/a", f"{CHAIR}/b"]
    assert source.fingerprint()["categories"] == ["chair"]


def test_the_folder_may_be_given_from_outside_and_as_an_archive(vox32, tmp_path):
    folder = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    outside = layouts.open_source("shapenet_vox32", str(tmp_path), [], 32)
    assert outside.fingerprint() == folder.fingerprint()
    packed = pack(vox32, put(tmp_path / "packed" / "any.tgz", b""))
    flat = pack(vox32, put(tmp_path / "flat" / "any.tar.gz", b""), ".")
    for path in (packed, packed.parent, flat):
        for categories in ([], ["table"]):
            archive = layouts.open_source("shapenet_vox32", str(path), categories, 32)
            wanted = [i for i in folder.items() if i.category in (categories or ["chair", "table"])]
            assert archive.items() == wanted
            for item in wanted:
                np.testing.assert_array_equal(archive.read(item), folder.read(item))
    assert not [p for p in packed.parent.iterdir() if p != packed]  # nothing was unpacked


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


def test_order_on_disk_does_not_matter_and_additions_change_no_id(vox32, tmp_path, monkeypatch):
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    before, mark = ids(source), source.fingerprint()
    listed = folders.entries_in
    monkeypatch.setattr(folders, "entries_in", lambda path: listed(path)[::-1])
    again = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    assert ids(again) == before
    assert again.fingerprint() == mark
    put(vox32 / CHAIR / "0" / "model.binvox", b"")
    put(vox32 / "02691156" / "a" / "model.binvox", b"")
    more = layouts.open_source("shapenet_vox32", str(vox32), [], 32)
    assert set(before) < set(ids(more))
    assert more.fingerprint() != mark


def test_fingerprints_tell_what_matters(vox32):
    def mark(size=32, categories=()):
        source = layouts.open_source("shapenet_vox32", str(vox32), categories, size)
        return json.dumps(source.fingerprint())

    assert mark() == mark()
    assert len({mark(), mark(64), mark(32, ["chair"])}) == 3
    before = mark()
    os.utime(vox32 / CHAIR / "a" / "model.binvox", (2e9, 2e9))
    assert mark() != before


def test_sources_can_be_pickled(vox32, tmp_path):
    archive = str(pack(vox32, tmp_path / "a.tgz"))
    for layout, where in [
        ("procedural", None),
        ("shapenet_vox32", str(vox32)),
        ("shapenet_vox32", archive),
    ]:
        source = layouts.open_source(layout, where, [], 32, num_shapes=20)
        for copy in (pickle.loads(pickle.dumps(source)), source):  # before and after it is listed
            assert copy.items() == source.items()
            assert pickle.loads(pickle.dumps(copy)).fingerprint() == source.fingerprint()
            item = source.items()[0]
            np.testing.assert_array_equal(copy.read(item), source.read(item))


def test_a_damaged_file_is_named(vox32):
    put(vox32 / CHAIR / "a" / "model.binvox", b"garbage")
    source = layouts.open_source("shapenet_vox32", str(vox32), ["chair"], 32)
    with pytest.raises(UserError, match=str(vox32 / CHAIR / "a" / "model.binvox")):
        source.read(source.items()[0])
    assert source.read(source.items()[1]).any()
    (vox32 / CHAIR / "b" / "model.binvox").unlink()
    with pytest.raises(UserError, match=r"b/model.binvox cannot be read"):
        source.read(source.items()[1])


@pytest.mark.parametrize("layout", settings.LAYOUTS[1:])
def test_bad_folders(layout, tmp_path):
    for manual_dir in (None, ""):
        with pytest.raises(UserError, match="--manual_dir"):
            layouts.open_source(layout, manual_dir, [], 32)
    with pytest.raises(UserError, match="nowhere is not a folder"):
        layouts.open_source(layout, str(tmp_path / "nowhere"), [], 32)
    with pytest.raises(UserError, match="is empty"):
        layouts.open_source(layout, str(tmp_path), [], 32)
    put(tmp_path / "pictures" / "a.png", b"")
    with pytest.raises(UserError, match="holds no shapes: put files there as <category>/"):
        layouts.open_source(layout, str(tmp_path), [], 32).items()


def test_bad_categories(vox32):
    with pytest.raises(UserError, match=r"category bench is not in .*can be chair, table"):
        layouts.open_source("shapenet_vox32", str(vox32), ["bench"], 32).items()
    (vox32 / "02691156").mkdir()
    with pytest.raises(UserError, match="category airplane has no shapes"):
        layouts.open_source("shapenet_vox32", str(vox32), ["airplane", "chair"], 32).items()
    assert len(layouts.open_source("shapenet_vox32", str(vox32), [], 32).items()) == 3
    with pytest.raises(UserError, match="category nonsense is not in --dataset=procedural"):
        layouts.open_source("procedural", None, ["nonsense"], 32)
    with pytest.raises(UserError, match="--dataset=nonsense is unknown"):
        layouts.open_source("nonsense", None, [], 32)


def test_core_v2_turns_centres_and_fills(tmp_path):
    # A hollow box in the corner, 128 wide (x), 32 high, 60 deep, with a knob at its front (z = 0).
    voxels = np.zeros((128, 128, 128), bool)
    voxels[:, :32, 4:64] = True
    voxels[2:-2, 2:30, 6:62] = False
    voxels[60:68, 12:20, :4] = True
    root = tmp_path / "ShapeNetCore.v2"
    tail = f"{CHAIR}/a/models/model_normalized.solid.binvox"
    put(root / tail, binvox.write(voxels))
    (root / CHAIR / "without").mkdir()
    source = layouts.open_source("shapenet_core_v2", str(tmp_path), ["chair"], 32)
    assert source.items() == [Item(f"{CHAIR}/a", "chair", tail)]
    expected = np.zeros((32, 32, 32), bool)
    expected[8:23, 12:20, :] = True
    expected[23, 15:17, 15:17] = True  # the knob, which faces +x now
    np.testing.assert_array_equal(source.read(source.items()[0]), expected)


def test_meshes_descend_and_take_their_axes(tmp_path):
    stem = trimesh.creation.box(extents=(1, 1, 4))  # z up
    nose = trimesh.creation.box(extents=(1, 2, 1))  # towards −y, at the foot
    nose.apply_translation((0, -1, -1.5))
    data = trimesh.util.concatenate([stem, nose]).export(file_type="off").encode()
    for name in ("chair/train/a.off", "chair/test/b.OFF", "My-Things/a.off", "chair/.hidden.off"):
        put(tmp_path / name, data)
    put(tmp_path / "chair" / "a.txt", b"")
    (tmp_path / "chair" / "broken.off").symlink_to(tmp_path / "nowhere")
    source = layouts.open_source("meshes", str(tmp_path), [], 16, up="+z", front="-y")
    assert [(i.model_id, i.category) for i in source.items()] == [
        ("My-Things/a.off", "my_things"),
        ("chair/test/b.OFF", "chair"),
        ("chair/train/a.off", "chair"),
    ]
    a, b, c = (source.read(item) for item in source.items())
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(a, c)
    heights = a.any(axis=2).sum(axis=0)  # cells along x at each height
    assert (heights[:3] >= 9).all()
    assert (heights[6:] <= 5).all()
    assert np.argwhere(a)[:, 0].max() == np.argwhere(a[:, :3])[:, 0].max()  # the nose is at +x
    assert a[:8, 10].any()
    assert not a[8:, 10].any()
    other = layouts.open_source("meshes", str(tmp_path), [], 16)
    assert other.fingerprint() != source.fingerprint()
    with pytest.raises(UserError, match="--mesh_up=up"):
        layouts.open_source("meshes", str(tmp_path), [], 16, up="up")


def test_procedural_is_spread_evenly_and_grows():
    few = layouts.open_source("procedural", None, [], 32, num_shapes=25, seed=3)
    more = layouts.open_source("procedural", None, [], 32, num_shapes=70, seed=3)
    assert len(few.items()) == 25
    assert ids(few) == sorted(ids(few))
    assert set(ids(few)) < set(ids(more))
    counts = [sum(i.category == c for i in few.items()) for c in procedural.CATEGORIES]
    assert max(counts) - min(counts) <= 1
    assert few.fingerprint() != more.fingerprint()
    with pytest.raises(UserError, match="--num_shapes=2"):
        layouts.open_source("procedural", None, [], 32, num_shapes=2)


def test_procedural_reads_what_its_id_says(monkeypatch):
    asked = []
    monkeypatch.setattr(procedural, "generate", lambda *a: asked.append(a) or grid(0))
    source = layouts.open_source("procedural", None, ["couch", CHAIR], 32, num_shapes=6, seed=7)
    assert ids(source) == [f"{c}_{i:06d}" for c in ("chair", "sofa") for i in range(3)]
    source.read(source.items()[5])
    assert asked == [("sofa", 2, 7, 32)]


def test_taxonomy():
    assert len(taxonomy.SYNSETS) == len(set(taxonomy.SYNSETS.values())) == 55
    assert set(taxonomy.ALIASES.values()) <= set(taxonomy.SYNSETS.values())
    assert not set(taxonomy.ALIASES) & set(taxonomy.SYNSETS.values())
    for synset, name in taxonomy.SYNSETS.items():
        assert taxonomy.category_name(synset) == taxonomy.category_name(name) == name
        assert taxonomy.synset_id(name) == taxonomy.synset_id(synset) == synset
    assert taxonomy.synset_id("Couch") == "04256520"
    assert taxonomy.category_name("Night Stand") == "night_stand"
    assert taxonomy.synset_id("night_stand") is None


def test_every_reader_gives_full_grids(vox32):
    source = layouts.open_source("shapenet_vox32", str(vox32), [], 20)
    for item in source.items():
        voxels = source.read(item)
        assert voxels.shape == (20, 20, 20)
        assert voxels.dtype == bool
        assert grids.crop(voxels).shape[0] == 20


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


def test_links_between_meshes(tmp_path):
    data = trimesh.creation.box().export(file_type="off").encode()
    put(tmp_path / "outside" / "deep" / "secret.off", data)
    put(tmp_path / "in" / "chair" / "a" / "a.off", data)
    (tmp_path / "in" / "chair" / "up").symlink_to("..")
    (tmp_path / "in" / "chair" / "a" / "out").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "chair" / "self").symlink_to("self")
    source = layouts.open_source("meshes", str(tmp_path / "in"), [], 8)
    assert ids(source) == ["chair/a/a.off", "chair/a/out"]
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
        with pytest.raises(UserError, match=r"nnn cannot be listed \(File name too long\)"):
            layouts.open_source("meshes", str(tmp_path), [], 8).items()
    finally:  # pytest's own clearing up goes no deeper than Python's stack
        subprocess.run(["rm", "-rf", str(tmp_path / "chair")], check=True)


def test_what_cannot_be_looked_at_is_not_taken_for_missing(vox32, monkeypatch):
    stat = os.stat

    def refusing(path, *args, **kwargs):
        if str(path).endswith(f"{CHAIR}/a/model.binvox"):
            raise PermissionError(13, "Permission denied")
        return stat(path, *args, **kwargs)

    monkeypatch.setattr(os, "stat", refusing)
    with pytest.raises(UserError, match=r"a/model\.binvox cannot be read \(Permission denied\)"):
        layouts.open_source("shapenet_vox32", str(vox32), [], 32).items()


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
