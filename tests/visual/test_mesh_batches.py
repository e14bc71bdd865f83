"""Meshes for TensorBoard's dashboard."""

import numpy as np
import pytest

from ptn_semi.visual import mesh_batches


def test_meshes_are_padded_and_few_enough_vertices_for_the_dashboard():
    noise = np.random.default_rng(0).random([48, 48, 48]) < 0.5
    small = np.zeros([48, 48, 48], bool)
    small[0, 0, 0] = True
    batch = mesh_batches.batch_meshes([noise, small, np.zeros_like(small)])
    assert batch["vertices"].shape == batch["colors"].shape
    assert len(batch["faces"]) == 3
    assert batch["vertices"].shape[1] <= 2**16
    assert batch["faces"].max() < batch["vertices"].shape[1]
    assert batch["vertices"][1].max() == pytest.approx(-0.5 + 1 / 48)  # padding stays inside
    assert (batch["faces"][1, 12:] == 0).all()
