"""Building data sets: what is in them, what they are named, and what stops them."""

import dataclasses
import os
import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ptn_semi.data import configs, overviews, preparation, splits
from ptn_semi.projection.camera import Camera
from ptn_semi.projection.projector import Projector
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural, rendering
from shapenet_posed_masks import shapenet_posed_masks_dataset_builder as posed_masks
from shapenet_posed_masks.sources import folders
from support import processes
from support.mesh_files import TETRAHEDRON
from support.small_sets import AIRPLANE, CHAIR, examples, finished, from_files, put, put_all, small


def test_a_prepared_set_holds_examples_counts_and_a_picture(builder):
    shapes = examples(builder)
    assert len(shapes) == 20
    example = shapes["chair_000001"]
    assert example["category"] == b"chair"
    assert example["masks"].shape == (3, 16, 16, 1) and example["masks"].dtype == bool
    assert example["viewpoints"].shape == (3, 2) and example["viewpoints"].dtype == np.float32
    np.testing.assert_array_equal(example["voxels"], procedural.generate("chair", 1, 0, 32))
    rows = [line.split() for line in overviews.summarize(builder).splitlines()]
    assert rows[0] == ["category", "train", "validation", "test"]
    assert [row[0] for row in rows[1:]] == list(procedural.CATEGORIES)
    sums = [sum(map(int, column)) for column in list(zip(*rows[1:], strict=True))[1:]]
    assert sums == [builder.info.splits[name].num_examples for name in rows[0][1:]]
    assert builder.info.metadata["built_from"]["camera"] == Camera().to_dict()
    assert (builder.data_path.parent / "samples.png").exists()


def test_masks_are_what_the_projector_makes_of_the_voxels(builder):
    projector = Projector(32, Camera())
    for example in examples(builder).values():
        grids = np.repeat(example["voxels"][None], 3, axis=0).astype(np.float32)
        rays = projector([grids, example["viewpoints"]]).numpy() > 0
        # The voxels are twice as fine as the masks, so each pixel has four rays: one is enough.
        rendered = rays.reshape(3, 16, 2, 16, 2, 1).any(axis=(2, 4))
        np.testing.assert_array_equal(example["masks"], rendered)
        assert example["masks"].any(axis=(1, 2, 3)).all()


def test_viewpoints_are_spread_and_depend_on_the_shape_and_the_seed_alone():
    config = posed_masks.PosedMasksConfig(
        name="any", num_views=4000, elevation_range=(-10.0, 30.0), azimuth_range=(90.0, 180.0)
    )
    viewpoints = rendering.draw_viewpoints("chair/any", config)
    assert (viewpoints >= [-10, 90]).all() and (viewpoints <= [30, 180]).all()
    np.testing.assert_allclose(viewpoints.min(axis=0), [-10, 90], atol=0.2)
    np.testing.assert_allclose(viewpoints.max(axis=0), [30, 180], atol=0.2)
    np.testing.assert_allclose(viewpoints.mean(axis=0), [10, 135], atol=1.5)
    config = posed_masks.PosedMasksConfig(name="any")
    drawn = rendering.draw_viewpoints("chair_000000", config)
    np.testing.assert_allclose(drawn[:2], [[22.079374, 17.6132], [10.589148, 255.53616]], rtol=1e-6)
    assert (drawn != rendering.draw_viewpoints("chair_000001", config)).all()
    other_seed = dataclasses.replace(config, seed=1)
    assert (drawn != rendering.draw_viewpoints("chair_000000", other_seed)).all()
    more = dataclasses.replace(config, num_views=40)
    np.testing.assert_array_equal(drawn, rendering.draw_viewpoints("chair_000000", more)[:24])


BUILT = "data_dir", "dataset", "manual_dir", "num_views", "image_size"


def records(data_dir):
    """Names and contents of a prepared set's files of examples."""
    return {path.name: path.read_bytes() for path in pathlib.Path(data_dir).rglob("*.tfrecord*")}


@pytest.mark.slow
def test_two_processes_build_the_same_bytes_whatever_the_order_of_files(tmp_path, monkeypatch):
    # protobuf's order of features changes from one process to the next.
    roots = put_all(tmp_path / "one" / "vox"), put_all(tmp_path / "two" / "vox", backwards=True)
    one, two = map(from_files, roots)
    flags = [f"--{name}={getattr(one, name)}" for name in BUILT]
    ended = processes.main("ptn_semi.build_data", *flags)
    assert ended.returncode == 0, ended.stderr
    listed = folders.entries_in
    monkeypatch.setattr(folders, "entries_in", lambda path: listed(path)[::-1])
    preparation.prepare(two)
    assert configs.named_config(one).name == configs.named_config(two).name
    assert len(records(one.data_dir)) == 3
    assert records(one.data_dir) == records(two.data_dir)


CHANGES = {
    "categories": ("chair", "sofa"),
    "voxel_size": 64,
    "image_size": 24,
    "num_views": 4,
    "num_shapes": 21,
    "data_seed": 1,
    "elevation_range": (0.0, 40.0),
    "azimuth_range": (0.0, 180.0),
    "roll_range": (-5.0, 5.0),
    "distance_range": (2.0, 4.0),
    "framed_share": 0.5,
    "perspective": False,
    "camera_distance": 3.0,
    "field_of_view": 20.0,
}


def test_the_same_settings_reuse_the_set_and_others_name_another(builder, settings, monkeypatch):
    others = [dataclasses.replace(settings, **{name: CHANGES[name]}) for name in CHANGES]
    names = {configs.named_config(each).name for each in [settings, *others]}
    assert len(names) == 1 + len(CHANGES)
    assert all(name.startswith("procedural-") for name in names)
    monkeypatch.setattr(posed_masks.Builder, "download_and_prepare", None)
    assert preparation.prepare(settings).data_dir == builder.data_dir


def test_other_files_name_another_set(tmp_path):
    root = put_all(tmp_path / "vox")
    names = [configs.named_config(from_files(root)).name]
    put(root, CHAIR, "another", 7)
    names.append(configs.named_config(from_files(root)).name)
    os.utime(root / CHAIR / "another" / "model.binvox", (2e9, 2e9))
    names.append(configs.named_config(from_files(root)).name)
    names.append(configs.named_config(from_files(root, categories=("chair",))).name)
    assert len(set(names)) == 4
    # The synset id is the same category.
    assert configs.named_config(from_files(root, categories=(CHAIR,))).name == names[-1]


def test_skip_invalid_leaves_out_and_lists(tmp_path):
    root = put_all(tmp_path / "vox")
    paths = [put(root, CHAIR, "damaged", 0, b"junk"), put(root, CHAIR, "empty", 0, b"")]
    builder = preparation.prepare(from_files(root, skip_invalid=True))
    assert len(examples(builder)) == 10
    # As another process reads it.
    again = tfds.builder_from_directory(builder.data_dir)
    left_out = again.info.metadata["left_out"]
    assert len(left_out) == 2
    assert all(str(path) in text for path, text in zip(paths, left_out, strict=True))
    assert "2 files were left out" in overviews.summarize(builder)


def test_names_in_any_script(tmp_path, capsys):
    for i in range(3):
        path = tmp_path / "Möbel" / "Stühle" / f"Sessel-{i}-椅子.off"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"OFF\n4 4 0\n" + TETRAHEDRON)
    (path.parent / "Sessel.fbx").touch()
    settings = small(tmp_path / "data", dataset="meshes", manual_dir=str(tmp_path / "Möbel"))
    shapes = splits.load(preparation.prepare(settings), "test")
    assert list(shapes.categories) == ["stühle"] and "椅子" in shapes.model_ids[0]
    said = "1 file of shapes is not read by --dataset=meshes: Stühle/Sessel.fbx\n"
    assert capsys.readouterr().out == said


def test_few_shapes_build_if_each_category_has_one(tmp_path):
    root = tmp_path / "vox"
    put(root, AIRPLANE, "m1", 0)  # its id is a test shape's
    builder = preparation.prepare(from_files(root))
    assert list(builder.info.splits) == ["test"]
    assert (builder.data_path.parent / "samples.png").exists()
    put(root, CHAIR, "damaged", 0, b"junk")
    with pytest.raises(UserError, match="no shape of category chair can be used"):
        preparation.prepare(from_files(root, skip_invalid=True))
    assert len(finished(tmp_path / "data")) == 1


def test_sizes_that_fill_no_byte_and_a_grid_of_64(tmp_path):
    sizes = {"voxel_size": 64, "image_size": 9, "num_views": 2, "num_shapes": 4}
    builder = preparation.prepare(small(tmp_path, categories=("chair",), **sizes))
    loaded = splits.load(builder, "train", with_voxels=True)
    originals = examples(builder)
    assert loaded.masks.shape == (len(loaded), 2, 11)  # 81 bits
    assert loaded.voxels.shape == (len(loaded), 64**3 // 8)
    for row, model_id in enumerate(loaded.model_ids):
        masks = loaded.unpack_masks(row, np.arange(2))
        np.testing.assert_array_equal(masks, originals[model_id]["masks"].astype(np.float32))
        generated = procedural.generate("chair", int(model_id.rpartition("_")[2]), 0, 64)
        np.testing.assert_array_equal(loaded.unpack_voxels(row), generated)


def test_a_split_is_loaded_in_order_and_whole_and_others_are_refused(builder):
    loaded = splits.load(builder, "test")
    assert list(loaded.model_ids) == sorted(loaded.model_ids) and len(loaded) == 7
    assert loaded.voxels is None
    halves = [splits.load(builder, split) for split in ("train[:50%]", "train[50%:]")]
    assert sum(len(half) for half in halves) == 12
    with pytest.raises(UserError, match=r"--split=tests .*train \(12\), .* \(1\), test \(7\)"):
        splits.load(builder, "tests")
    with pytest.raises(UserError, match=r"category bench has no shapes in the split test .*--cat"):
        splits.check_categories(builder, "test", loaded, [*loaded.categories, "bench", "chair"])


def test_a_prepared_set_is_found_without_its_files(tmp_path):
    settings = from_files(put_all(tmp_path / "vox"))
    built = preparation.prepare(settings)
    without = dataclasses.replace(settings, manual_dir="")
    assert preparation.prepare(without).data_dir == built.data_dir
    for other in ({"num_views": 7}, {"categories": ("table",)}, {"dataset": "meshes"}):
        with pytest.raises(UserError, match="say with --manual_dir"):
            preparation.prepare(dataclasses.replace(without, **other))
