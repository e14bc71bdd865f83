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
from ptn_semi.settings import DataSettings
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


def test_viewpoints_are_in_range_and_spread_over_it():
    config = posed_masks.PosedMasksConfig(
        name="any", num_views=4000, elevation_range=(-10.0, 30.0), azimuth_range=(90.0, 180.0)
    )
    viewpoints = rendering.draw_viewpoints("chair/any", config)
    np.testing.assert_allclose(viewpoints.min(axis=0), [-10, 90], atol=0.2)
    np.testing.assert_allclose(viewpoints.max(axis=0), [30, 180], atol=0.2)
    np.testing.assert_allclose(viewpoints.mean(axis=0), [10, 135], atol=1.5)
    assert (viewpoints >= [-10, 90]).all() and (viewpoints <= [30, 180]).all()


def test_viewpoints_depend_on_the_shape_and_the_seed_alone():
    config = posed_masks.PosedMasksConfig(name="any")
    drawn = rendering.draw_viewpoints("chair_000000", config)
    np.testing.assert_allclose(drawn[:2], [[22.079374, 17.6132], [10.589148, 255.53616]], rtol=1e-6)
    assert (drawn != rendering.draw_viewpoints("chair_000001", config)).all()
    other_seed = dataclasses.replace(config, seed=1)
    assert (drawn != rendering.draw_viewpoints("chair_000000", other_seed)).all()
    more = dataclasses.replace(config, num_views=40)
    np.testing.assert_array_equal(drawn, rendering.draw_viewpoints("chair_000000", more)[:24])


def records(data_dir):
    """Names and contents of a prepared set's files of examples."""
    return {path.name: path.read_bytes() for path in pathlib.Path(data_dir).rglob("*.tfrecord*")}


@pytest.mark.slow
def test_the_order_of_files_makes_no_difference(tmp_path, monkeypatch):
    one = preparation.prepare(from_files(put_all(tmp_path / "one" / "vox")))
    listed = folders.entries_in
    monkeypatch.setattr(folders, "entries_in", lambda path: listed(path)[::-1])
    other = preparation.prepare(from_files(put_all(tmp_path / "two" / "vox", backwards=True)))
    assert one.builder_config.name == other.builder_config.name
    assert len(records(one.data_dir)) == 3
    assert records(one.data_dir) == records(other.data_dir)


def test_the_same_settings_reuse_the_set(builder, settings, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("built again")

    monkeypatch.setattr(posed_masks.Builder, "download_and_prepare", fail)
    again = preparation.prepare(settings)
    assert again.data_dir == builder.data_dir
    assert again.info.splits["train"].num_examples == 12


CHANGES = (
    {"categories": ("chair", "sofa")},
    {"voxel_size": 64},
    {"image_size": 24},
    {"num_views": 4},
    {"num_shapes": 21},
    {"data_seed": 1},
    {"elevation_range": (0.0, 40.0)},
    {"azimuth_range": (0.0, 180.0)},
    {"perspective": False},
    {"camera_distance": 3.0},
    {"field_of_view": 20.0},
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_other_settings_name_another_set(settings, change):
    plain = configs.named_config(settings)
    changed = configs.named_config(dataclasses.replace(settings, **change))
    assert changed.name != plain.name
    assert changed.name.startswith("procedural-")


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


def test_names_in_any_script(tmp_path):
    for i in range(3):
        path = tmp_path / "Möbel" / "Stühle" / f"Sessel-{i}-椅子.off"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"OFF\n4 4 0\n" + TETRAHEDRON)
    settings = small(tmp_path / "data", dataset="meshes", manual_dir=str(tmp_path / "Möbel"))
    shapes = splits.load(preparation.prepare(settings), "test")
    assert list(shapes.categories) == ["stühle"] and "椅子" in shapes.model_ids[0]


def test_a_category_of_which_nothing_can_be_used(tmp_path):
    root = tmp_path / "vox"
    put(root, AIRPLANE, "good", 0)
    put(root, CHAIR, "damaged", 0, b"junk")
    with pytest.raises(UserError, match="no shape of category chair can be used"):
        preparation.prepare(from_files(root, skip_invalid=True))
    assert not finished(tmp_path / "data")


def test_a_set_without_training_shapes_builds(tmp_path):
    root = tmp_path / "vox"
    put(root, CHAIR, "m1", 0)  # its id is a test shape's
    builder = preparation.prepare(from_files(root))
    assert list(builder.info.splits) == ["test"]
    assert (builder.data_path.parent / "samples.png").exists()


def test_sizes_that_fill_no_byte_and_a_grid_of_64(tmp_path):
    settings = small(
        tmp_path, voxel_size=64, image_size=9, num_views=2, num_shapes=4, categories=("chair",)
    )
    builder = preparation.prepare(settings)
    loaded = splits.load(builder, "train", with_voxels=True)
    originals = examples(builder)
    assert loaded.masks.shape == (len(loaded), 2, 11)  # 81 bits
    assert loaded.voxels.shape == (len(loaded), 64**3 // 8)
    for row, model_id in enumerate(loaded.model_ids):
        masks = loaded.unpack_masks(row, np.arange(2))
        np.testing.assert_array_equal(masks, originals[model_id]["masks"].astype(np.float32))
        np.testing.assert_array_equal(loaded.unpack_voxels(row), originals[model_id]["voxels"])
        index = int(model_id.rpartition("_")[2])
        np.testing.assert_array_equal(
            loaded.unpack_voxels(row), procedural.generate("chair", index, 0, 64)
        )


def test_a_loaded_split_is_in_order_and_whole(builder):
    loaded = splits.load(builder, "test")
    assert list(loaded.model_ids) == sorted(loaded.model_ids) and len(loaded) == 7
    assert loaded.voxels is None
    halves = [splits.load(builder, split) for split in ("train[:50%]", "train[50%:]")]
    assert sum(len(half) for half in halves) == 12


def test_a_split_that_is_not_there_is_named(builder):
    with pytest.raises(
        UserError, match=r"--split=tests .*train \(12\), validation \(1\), test \(7\)"
    ):
        splits.load(builder, "tests")


def test_a_category_without_shapes_in_a_split_is_named(builder):
    shapes = {split: splits.load(builder, split) for split in ("train", "validation")}
    with pytest.raises(UserError, match=r"category bench has no shapes in .* validation .*--categ"):
        splits.check_categories(builder, shapes, complete=["validation"])


def test_a_prepared_set_is_found_without_its_files(tmp_path):
    settings = from_files(put_all(tmp_path / "vox"))
    built = preparation.prepare(settings)
    without = dataclasses.replace(settings, manual_dir="")
    assert preparation.prepare(without).data_dir == built.data_dir
    for other in ({"num_views": 7}, {"categories": ("table",)}, {"dataset": "meshes"}):
        with pytest.raises(UserError, match="say with --manual_dir"):
            preparation.prepare(dataclasses.replace(without, **other))


@pytest.mark.slow
def test_two_processes_build_the_same_bytes(tmp_path):
    # protobuf's order of features changes from one process to the next.
    options = ("--num_shapes=20", "--num_views=3")
    ended = processes.main("ptn_semi.build_data", f"--data_dir={tmp_path / 'one'}", *options)
    assert ended.returncode == 0, ended.stderr
    preparation.prepare(DataSettings(data_dir=str(tmp_path / "two"), num_shapes=20, num_views=3))
    assert len(records(tmp_path / "one")) == 3
    assert records(tmp_path / "one") == records(tmp_path / "two")
