"""Generated shapes beside those of a data set."""

import dataclasses

import numpy as np
import pytest

from ptn_semi.data import batches, preparation, procedural_shapes, splits
from ptn_semi.projection.projector import Projector
from ptn_semi.settings import TrainSettings
from ptn_semi.utils.errors import UserError
from shapenet_posed_masks import procedural
from support.small_sets import AIRPLANE, CHAIR, from_files, put
from support.small_sets import procedural_shapes as in_memory
from support.supervisions import supervise


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    root = tmp_path_factory.mktemp("shapes") / "vox32"
    for number in range(8):
        put(root, CHAIR, f"chair{number}", number)
        put(root, AIRPLANE, f"airplane{number}", number)
    return from_files(root)


@pytest.fixture(scope="module")
def own(settings):
    return splits.load(preparation.prepare(settings), "train")


def test_they_have_the_data_sets_categories_and_cameras(settings, own):
    added = procedural_shapes.load(settings, own.categories, 12)
    assert set(added.categories) == {"airplane", "chair"} and len(added) == 12
    assert added.masks.shape[1:] == own.masks.shape[1:]
    for name in added.model_ids[:2]:
        category, _, number = name.rpartition("_")
        voxels = added.unpack_voxels(list(added.model_ids).index(name))
        np.testing.assert_array_equal(voxels, procedural.generate(category, int(number), 1, 32))
    # Where no generator knows a category, those of all categories are taken.
    added = procedural_shapes.load(settings, np.array(["chair", "unicorn"]), 40)
    assert set(added.categories) == set(procedural.CATEGORIES)


def test_batches_learn_from_both_and_draw_unlabeled_masks_from_the_own(settings, own):
    added = procedural_shapes.load(settings, np.array(["chair"]), 12)
    joined = procedural_shapes.join(own, added)
    assert len(joined) == len(own) + len(added)
    labeled = np.array([0, *range(len(own), len(joined))])
    drawn = batches.batch_dataset(
        supervise(joined, labeled, 3, num_own=len(own)), batch_size=16, seed=0
    ).take(20)
    is_own = lambda masks: np.array(
        [(own.unpack_masks(slice(None), slice(None)) == m).all((2, 3, 4)).any() for m in masks]
    )
    pairs, alone = [], []
    for batch in drawn.as_numpy_iterator():
        pairs.append(is_own(batch["view_a"]).mean())
        alone.append(is_own(batch["unlabeled"]).all())
    assert all(alone)
    # Each of the categories as often, and the procedural shapes as often as one.
    assert 0.3 < np.mean(pairs) < 0.7


def test_what_procedural_shapes_do_not_go_with_is_refused(own, tmp_path):
    with pytest.raises(UserError, match="give --pose_fraction=0"):
        TrainSettings(supervision="unlabeled", adversarial_weight=1.0, procedural_shapes=5)
    np.save(tmp_path / "masks.npy", own.masks)
    on_disk = dataclasses.replace(own, masks=np.load(tmp_path / "masks.npy", mmap_mode="r"))
    with pytest.raises(UserError, match="--procedural_shapes needs all masks in memory"):
        procedural_shapes.join(on_disk, own)


def test_their_voxels_are_averaged_for_coarser_models():
    shapes = in_memory(Projector(64, jit_compile=False), ["chair"] * 2, 2, 64)
    own = np.full((1, 32, 32, 32), 7, np.uint8)
    known = procedural_shapes.occupancy(own, shapes, 32)
    filled = known.read(np.array([1, 2]))
    voxels = shapes.unpack_voxels([0, 1]).reshape(2, 32, 2, 32, 2, 32, 2)
    np.testing.assert_array_equal(filled, np.ceil(255 * voxels.mean(axis=(2, 4, 6))))
    own = np.full((1, 64, 64, 64), 7, np.uint8)
    whole = procedural_shapes.occupancy(own, shapes, 64).read(np.array([1, 0, 2]))
    np.testing.assert_array_equal(whole[[0, 2]] == 255, voxels.reshape(2, 64, 64, 64))
    np.testing.assert_array_equal(whole[1], own[0])
