"""Listing and reading shapes of every layout."""

import json
import os
import pickle

import numpy as np
import pytest
import trimesh

from ptn_semi import settings
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from shapenet_posed_masks.formats import grids
from shapenet_posed_masks.sources import folders, layouts, taxonomy
from shapenet_posed_masks.sources.base import Item
from support.mesh_files import TETRAHEDRON
from support.shape_folders import CHAIR, TABLE, grid, ids, pack, put


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


def test_modelnet_may_be_given_from_outside(tmp_path):
    for place in ("train/a.off", "test/b.off"):
        put(tmp_path / "ModelNet10" / "chair" / place, b"OFF\n4 4 0\n" + TETRAHEDRON)
    (tmp_path / "notes").mkdir()
    source = layouts.open_source("meshes", str(tmp_path))
    assert [(i.model_id, i.category) for i in source.items()] == [
        ("chair/test/b.off", "chair"),
        ("chair/train/a.off", "chair"),
    ]


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
