"""The correction of hulls: what the package's weights say, and the command that trains them."""

import numpy as np
import pytest

from ptn_semi.models import hull_correction
from support import processes

# A hull of a table seen from few sides: below its top there is a full block.
HULL = np.zeros((1, 32, 32, 32), bool)
HULL[0, 4:28, 6:26, 4:28] = True


def test_a_hull_keeps_its_voxels_and_is_more_certain_inside():
    corrected = hull_correction.correct(np.repeat(HULL, 3, axis=0))
    np.testing.assert_array_equal(corrected > 0, np.repeat(HULL, 3, axis=0))
    np.testing.assert_array_equal(corrected[0], corrected[2])
    assert len(np.unique(corrected)) > 10


def test_the_network_is_as_large_as_the_documents_say():
    assert hull_correction.load().count_params() == 14_737


@pytest.mark.slow
def test_the_command_trains_weights_that_the_network_takes(tmp_path, monkeypatch):
    ended = processes.main(
        "tools/train_hull_correction.py",
        *("--steps=2", "--batch_size=2", "--num_shapes=20"),
        f"--data_dir={tmp_path / 'data'}",
        f"--output={tmp_path / 'weights.npz'}",
    )
    assert ended.returncode == 0, ended.stderr
    monkeypatch.setattr(hull_correction, "WEIGHTS", tmp_path / "weights.npz")
    assert (hull_correction.correct(HULL) > 0).sum() == HULL.sum()
