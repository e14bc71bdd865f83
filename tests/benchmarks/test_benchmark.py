"""The benchmark's references do the same job as ours, and its table can be read by programs."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from ptn_semi.models import architectures
from ptn_semi.models.reconstructor import SemiSupervisedReconstructor
from ptn_semi.projection import geometry
from support.tiny_networks import TINY
from tools import benchmark
from tools.benchmarks import inference, measurements, references, rows

VOXELS = np.random.default_rng(0).random((2, 8, 8, 8), np.float32) / 8
VIEWPOINTS = np.array([[-15, 200], [30, 70]], np.float32)


def test_torch_projects_as_the_gathers_do():
    torch = pytest.importorskip("torch")
    masks = references.project_with_torch(torch.tensor(VOXELS), torch.tensor(VIEWPOINTS), 12)
    expected = references.project_with_gathers(tf.constant(VOXELS), VIEWPOINTS, 12)
    np.testing.assert_allclose(masks.numpy(), expected, atol=1e-5)


def test_an_unfused_step_trains_all_networks():
    model = SemiSupervisedReconstructor(TINY)
    model.compile(*(keras.optimizers.Adam(1e-3) for _ in range(3)))
    masks = [
        tf.cast(tf.random.stateless_uniform((2, 32, 32, 1), [0, i]) < 0.3, tf.float32)
        for i in range(3)
    ]
    viewpoints = geometry.sample_viewpoints(2, [0, 3])
    batch = dict(zip(("view_a", "view_b", "unlabeled"), masks, strict=True))
    batch |= {"viewpoint_a": viewpoints, "viewpoint_b": viewpoints[::-1]}
    trained = model.encoder, model.generator, model.discriminator
    before = [[np.array(w) for w in network.trainable_weights] for network in trained]
    results = references.unfused_step(model, batch)
    assert np.isfinite(list(map(float, results.values()))).all()
    for network, old in zip(trained, before, strict=True):
        # No weight is left out.
        for weight, value in zip(network.trainable_weights, old, strict=True):
            assert not np.array_equal(weight, value), weight.path


def test_operations_of_a_layer_by_hand():
    dense = keras.layers.Dense(3)
    keras.Sequential([keras.Input((5,)), dense])
    assert measurements._layer_flops(dense) == 2 * 5 * 3
    down = keras.layers.Conv2D(4, 5, 2, "same")
    keras.Sequential([keras.Input((8, 8, 2)), down])
    assert measurements._layer_flops(down) == 2 * 4 * 4 * 5 * 5 * 2 * 4
    up = keras.layers.Conv3DTranspose(4, 5, 2, "same")
    keras.Sequential([keras.Input((8, 8, 8, 2)), up])
    assert measurements._layer_flops(up) == 2 * 8**3 * 5**3 * 2 * 4


def test_a_faster_row_says_how_many_times():
    row = rows.faster("x", "ms", 1000, [0.2, 0.1, 0.4], [1.0, 0.8], 4)
    assert (row.value, row.ratio, row.spread) == (200, pytest.approx(4.5), (100, 400))
    assert "4.5×" in benchmark.line(row)
    assert benchmark.line(row).endswith("met")


@pytest.mark.slow
def test_the_command_writes_json_and_a_plot(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "tools.benchmark",
            "--sections=limits",
            "--repeats=1",
            f"--json={tmp_path}/rows.json",
            f"--plot={tmp_path}/plot.png",
        ],
        check=True,
        capture_output=True,
    )
    table = json.loads((tmp_path / "rows.json").read_text())
    assert table["machine"]
    assert {"name", "value", "unit", "reference", "ratio", "target"} <= table["rows"][0].keys()
    assert (tmp_path / "plot.png").stat().st_size


@pytest.mark.slow
def test_a_trained_model_is_measured(monkeypatch):
    monkeypatch.setattr(architectures, "PRESETS", {"small": TINY, "paper": TINY})
    options = benchmark.Options(1, 0, (), "", 0)
    measured = list(inference.inference(options))
    assert [row.unit for row in measured] == ["ms"] * 5
    assert all(row.value > 0 for row in measured)
