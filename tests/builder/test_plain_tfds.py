"""The data set for those who use TFDS alone, as its README shows."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import tensorflow_datasets as tfds

import shapenet_posed_masks

README = pathlib.Path(shapenet_posed_masks.__file__).with_name("README.md")


def test_importing_the_package_registers_the_set_without_tensorflow():
    code = "import sys, shapenet_posed_masks; print('tensorflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout == "False\n", ended.stderr
    assert tfds.builder_cls("shapenet_posed_masks") is shapenet_posed_masks.Builder


def test_python_of_the_readme_runs_in_an_empty_folder(tmp_path, monkeypatch):
    procedural = shapenet_posed_masks.Builder.BUILDER_CONFIGS[0]
    monkeypatch.setitem(procedural.source_options, "num_shapes", 20)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tensorflow_datasets"))
    monkeypatch.chdir(tmp_path)
    pathlib.Path("path/to").mkdir(parents=True)
    pathlib.Path("path/to/ShapeNetVox32").symlink_to(README.with_name("dummy_data"))
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", README.read_text(), re.S | re.M):
        if "import torch" not in block or importlib.util.find_spec("torch"):
            exec(block, names)
    assert names["shape"]["masks"].shape == (24, 32, 32, 1)
    assert names["source"][0]["voxels"].dtype == bool
    assert names["config"].num_views == len(next(iter(names["shapes"]))["masks"])
