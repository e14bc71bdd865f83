"""Programs that use Keras with this package: other backends, and `.keras` files."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import ptn_semi
from ptn_semi.projection.back_projection import BackProjection
from ptn_semi.projection.projector import Projector
from support.small_models import build

OTHER = r"needs Keras with TensorFlow, but Keras' backend here is {}: .* KERAS_BACKEND=tensorflow"
LOAD = """
import sys
from ptn_semi import SemiSupervisedReconstructor
import keras
for path in sys.argv[1:]:
    print(type(keras.saving.load_model(path)).__name__)
"""


def run_python(code, *arguments, **environment):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.parametrize("use", ["ptn_semi.load_model()", "from ptn_semi import Projector"])
def test_another_backend_of_keras_is_named(use):
    ended = run_python(f"import ptn_semi; {use}", KERAS_BACKEND="torch")
    last = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1 and last.startswith("ImportError: ptn_semi needs Keras"), last
    assert "is torch: set the environment variable KERAS_BACKEND=tensorflow" in last


def test_a_backend_that_is_installed_and_not_tensorflow_is_refused(monkeypatch):
    monkeypatch.delitem(vars(ptn_semi), "Projector", raising=False)
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ImportError, match=OTHER.format("jax")):
        ptn_semi.Projector  # noqa: B018
    assert ptn_semi.Camera().perspective  # needs no Keras


def test_settings_need_no_backend():
    ended = run_python("import ptn_semi; print(ptn_semi.Camera())", KERAS_BACKEND="torch")
    assert ended.returncode == 0 and ended.stdout.startswith("Camera(")


def test_one_import_lets_keras_load_all_files(tmp_path):
    model = build(supervision="labeled")
    voxels, images = keras.Input((8, 8, 8)), keras.Input((8, 8, 1))
    viewpoints = np.float32([[10, 20]])
    saved = {
        "projector": keras.Model(voxels, Projector(8)([voxels, viewpoints])),
        "back_projection": keras.Model(images, BackProjection(8)(images, viewpoints)),
        "networks": model.ema,
        "trained": model,
    }
    for name, each in saved.items():
        each.save(tmp_path / f"{name}.keras")
    ended = run_python(LOAD, *(tmp_path / f"{name}.keras" for name in saved))
    assert ended.returncode == 0, ended.stderr
    loaded = ended.stdout.split()
    assert loaded == ["Functional", "Functional", "Networks", "SemiSupervisedReconstructor"]
