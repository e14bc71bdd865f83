"""Listing and reading shapes of every layout."""

import pickle

import numpy as np
import pytest
import trimesh

from ptn_semi import settings
from ptn_semi.utils import binvox
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from shapenet_posed_masks.sources import layouts, taxonomy
from shapenet_posed_masks.sources.base import Item
from support.shape_folders import CHAIR, TABLE, grid, ids, pack, put, vox32_source


def test_vox32_is_listed_in_order_and_read_unchanged(vox32):
    source = vox32_source(vox32)
    assert source.items() == [
        Item(f"{CHAIR}/a", "chair", f"{CHAIR}/a/model.binvox"),
        Item(f"{CHAIR}/b", "chair", f"{CHAIR}/b/model.binvox"),
        Item(f"{TABLE}/a", "table", f"{TABLE}/a/model.binvox"),
    ]
    for item, seed in zip(source.items(), (2, 1, 0), strict=True):
        np.testing.assert_array_equal(source.read(item), grid(seed))


@pytest.mark.parametrize("categories", [[], ["Chair "], [CHAIR, "chair"]])
def test_an_archive_holds_what_its_folder_holds(vox32, tmp_path, categories):
    packed = pack(vox32, put(tmp_path / "packed" / "any.tgz", b""))
    flat = pack(vox32, put(tmp_path / "flat" / "any.tar.gz", b""), ".")
    folder = vox32_source(vox32, categories)
    assert ids(folder)[:2] == [f"{CHAIR}/a", f"{CHAIR}/b"]
    assert folder.fingerprint()["categories"] == (["chair"] if categories else [])
    for path in (packed.parent, flat):
        archive = vox32_source(path, categories)
        assert archive.items() == folder.items()
        for item in folder.items():
            np.testing.assert_array_equal(archive.read(item), folder.read(item))
    assert list(packed.parent.iterdir()) == [packed]  # nothing was unpacked


@pytest.mark.parametrize(
    ("layout", "name", "file"),
    [
        ("shapenet_vox32", "ShapeNetVox32", "chair/a/model.binvox"),
        ("meshes", "ModelNet10", "chair/train/a.off"),
    ],
)
def test_the_folder_above_a_published_one_may_be_given(tmp_path, layout, name, file):
    put(tmp_path / name / file, b"")
    (tmp_path / "notes").mkdir()
    inner, outer = (layouts.open_source(layout, str(p)) for p in (tmp_path / name, tmp_path))
    assert outer.fingerprint() == inner.fingerprint()
    assert outer.items()[0].path == file


@pytest.mark.parametrize("packed", [False, True])
def test_sources_can_be_pickled(vox32, tmp_path, packed):
    source = vox32_source(pack(vox32, tmp_path / "a.tgz") if packed else vox32)
    for copy in (pickle.loads(pickle.dumps(source)), source):  # before and after it is listed
        assert copy.items() == source.items()
        assert pickle.loads(pickle.dumps(copy)).fingerprint() == source.fingerprint()
        item = source.items()[0]
        np.testing.assert_array_equal(copy.read(item), source.read(item))


@pytest.mark.parametrize("layout", settings.LAYOUTS[1:])
def test_bad_folders(layout, tmp_path):
    with pytest.raises(UserError, match="say where with --manual_dir"):
        layouts.open_source(layout)
    with pytest.raises(UserError, match="nowhere is not a folder"):
        layouts.open_source(layout, str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="is empty"):
        layouts.open_source(layout, str(tmp_path))
    put(tmp_path / "pictures" / "a.png", b"")
    with pytest.raises(UserError, match="holds no shapes: put files there as <category>/"):
        layouts.open_source(layout, str(tmp_path)).items()


def test_bad_categories(vox32):
    with pytest.raises(UserError, match=r"category bench is not in .*can be chair, table"):
        vox32_source(vox32, ["bench"]).items()
    (vox32 / "02691156").mkdir()
    with pytest.raises(UserError, match="category airplane has no shapes"):
        vox32_source(vox32, ["airplane", "chair"]).items()
    assert len(vox32_source(vox32).items()) == 3
    with pytest.raises(UserError, match="category nonsense is not in --dataset=procedural"):
        layouts.open_source("procedural", categories=["nonsense"])


def test_core_v2_turns_centres_and_fills(tmp_path):
    # A hollow box in the corner, 128 wide (x), 32 high, 60 deep, with a knob at its front (z = 0).
    voxels = np.zeros((128, 128, 128), bool)
    voxels[:, :32, 4:64] = True
    voxels[2:-2, 2:30, 6:62] = False
    voxels[60:68, 12:20, :4] = True
    tail = f"{CHAIR}/a/models/model_normalized.solid.binvox"
    put(tmp_path / tail, binvox.write(voxels))
    (tmp_path / CHAIR / "without").mkdir()
    source = layouts.open_source("shapenet_core_v2", str(tmp_path), ["chair"], 32)
    assert source.items() == [Item(f"{CHAIR}/a", "chair", tail)]
    expected = np.zeros((32, 32, 32), bool)
    expected[8:23, 12:20, :] = True
    expected[23, 15:17, 15:17] = True  # the knob, which faces +x now
    np.testing.assert_array_equal(source.read(source.items()[0]), expected)


def test_meshes_are_found_in_subfolders_and_turned_by_their_axes(tmp_path):
    stem = trimesh.creation.box(extents=(1, 1, 4))  # z up
    nose = trimesh.creation.box(extents=(1, 2, 1))  # towards −y, at the foot
    nose.apply_translation((0, -1, -1.5))
    data = trimesh.util.concatenate([stem, nose]).export(file_type="off").encode()
    for name in ("chair/train/a.off", "chair/test/b.OFF", "My-Things/a.off", "chair/.a.off"):
        put(tmp_path / name, data)
    (tmp_path / "chair" / "broken.off").symlink_to(tmp_path / "nowhere")
    source = layouts.open_source("meshes", str(tmp_path), [], 16, up="+z", front="-y")
    assert [(i.model_id, i.category) for i in source.items()] == [
        ("My-Things/a.off", "my_things"),
        ("chair/test/b.OFF", "chair"),
        ("chair/train/a.off", "chair"),
    ]
    voxels = source.read(source.items()[0])
    assert voxels[:8, 10].any() and not voxels[8:, 10].any()  # the stem is behind
    assert voxels[8:, :3].any()  # and the nose in front, below
    other = layouts.open_source("meshes", str(tmp_path), [], 16)
    assert other.fingerprint() != source.fingerprint()
    with pytest.raises(UserError, match="--mesh_up=up"):
        layouts.open_source("meshes", str(tmp_path), [], 16, up="up")


@pytest.mark.parametrize(
    ("layout", "read", "others"),
    [
        (
            "meshes",
            "a.obj",
            ["a.fbx", "a.GLTF", "a.npy", "in/a.zip", "in/b.usdz", "in/c.3mf"],
        ),
        ("voxels", "a.npy", ["a.binvox.zip", "a.mat", "a.obj", "b.vox", "c.h5", "d.nrrd"]),
    ],
)
def test_files_of_shapes_that_are_not_read_are_named_and_counted(tmp_path, layout, read, others):
    for name in (read, "a.mtl", "a.png", "notes.txt", ".hidden.fbx", *others):
        put(tmp_path / "chair" / name, b"")
    put(tmp_path / "table" / read, b"")
    open_source = lambda *categories: layouts.open_source(layout, str(tmp_path), categories)
    assert open_source("table").note() == ""
    for source in (open_source("chair"), open_source()):
        assert ids(source)[0] == f"chair/{read}"
        names = ", ".join(sorted(f"chair/{name}" for name in others)[:5])
        said = f"6 files of shapes are not read by --dataset={layout}: {names} and 1 more"
        assert source.note() == said
    put(tmp_path / "all\n.zip", b"")  # beside the categories
    assert open_source().note().startswith(r"7 files of shapes are not read")
    assert r"all\n.zip, chair/" in open_source().note() and open_source("table").note() == ""


def test_procedural_shapes_are_spread_evenly_and_a_larger_set_holds_a_smaller_one():
    few, more = (
        layouts.open_source("procedural", "", ["couch", CHAIR], 16, num_shapes=n, seed=7)
        for n in (6, 9)
    )
    assert ids(few) == [f"{c}_{i:06d}" for c in ("chair", "sofa") for i in range(3)]
    assert set(ids(few)) < set(ids(more)) and few.fingerprint() != more.fingerprint()
    np.testing.assert_array_equal(few.read(few.items()[5]), procedural.generate("sofa", 2, 7, 16))
    with pytest.raises(UserError, match="--num_shapes=2"):
        layouts.open_source("procedural", num_shapes=2)


@pytest.mark.parametrize(
    ("name", "category"),
    [("04256520", "sofa"), ("Couch", "sofa"), ("sofa", "sofa"), ("Night Stand", "night_stand")],
)
def test_category_names(name, category):
    assert taxonomy.category_name(name) == category
