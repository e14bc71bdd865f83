"""Help and errors that need no TensorFlow appear before it is loaded."""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import pytest

from ptn_semi import settings
from ptn_semi.__main__ import COMMANDS
from ptn_semi.inference import shape_files
from ptn_semi.models import loss_settings, losses
from ptn_semi.training import workdirs
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError

# Runs a command as `python -m` does and tells which slow packages it has loaded when it ends.
COMMAND = """
import runpy, sys
try:
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
finally:
    slow = {"tensorflow", "keras", "tensorflow_datasets", "gradio", "scipy", "trimesh"}
    sys.stdout.flush()
    print("loaded:", *sorted(slow & set(sys.modules)))
"""
ROOT = pathlib.Path(__file__).parents[2]


def run(module, *arguments, folder=ROOT):
    command = [sys.executable, "-c", COMMAND, module, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def assert_refused_at_once(ended, said):
    *_, loaded = ended.stdout.splitlines()
    # TFDS is loaded without TensorFlow, where shapes are looked for.
    assert loaded in ("loaded:", "loaded: tensorflow_datasets")
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("error: ") and said in sentence


@pytest.mark.parametrize("name", [*(f"ptn_semi.{name}" for name in COMMANDS), "tools.reproduce"])
def test_help_needs_no_tensorflow(name):
    helped = run(name, "--help")
    assert helped.returncode == 0 and not helped.stderr
    assert helped.stdout.splitlines()[-1] == "loaded:" and "--flagfile" in helped.stdout


@pytest.mark.parametrize(
    ("command", "classes"),
    [
        ("train", [settings.DataSettings, settings.TrainSettings, settings.RunSettings]),
        ("reconstruct", [settings.MeshSettings]),
    ],
)
def test_help_lists_every_setting_once_in_its_group(command, classes):
    helped = run(f"ptn_semi.{command}", "--help").stdout
    names = re.findall(r"^  --(?:\[no\])?(\w+):", helped, re.M)
    fields = [field.name for each in classes for field in dataclasses.fields(each)]
    assert len(set(names)) == len(names) and set(names) > set(fields)
    # The command's own flags come first.
    assert names.index("workdir" if command == "train" else "label") < names.index(fields[0])


@pytest.mark.parametrize("arguments", [["ptn_semi", "help"], ["ptn_semi.train", "--help"]])
def test_output_that_nobody_reads_ends_a_command_quietly(arguments):
    read, written = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, env=environment, stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.fixture
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    chosen = settings.DataSettings(), settings.TrainSettings(seed=1), settings.RunSettings()
    (folder / "settings.flags").write_text(flags.to_text(*chosen))
    return folder


@pytest.fixture
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "sweep.flags").write_text("--tuner=random\n")
    return folder


@pytest.fixture
def shapes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "a.off").write_text("OFF\n")
    return folder


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        ("train", ["--no_such_flag=1"], "no_such_flag"),
        ("train", ["--steps=0"], "--steps=0"),
        ("train", ["--workdir=new", "--dataset=meshes"], "say where with --manual_dir"),
        ("train", ["--workdir=new", "--categories=spoon"], "spoon is not in"),
        ("train", ["--workdir=RUN"], "--seed=0 (there 1)"),
        ("train", ["--workdir=new", "--azimuth_range=0,90"], "--nomirror_views"),
        ("train", ["--workdir=new", "--supervision=unlabeled", "--adversarial_weight=0"], "GAN"),
        ("train", ["--workdir=new", "--roll_range=0,9"], "--nomirror_views"),
        ("train", ["--workdir=new", "--distance_range=0.5,3"], "too short: give more than 1"),
        ("train", ["--workdir=new", "--distance_range=2,3", "--noperspective"], "--noperspective"),
        ("train", ["--workdir=new", "--unlabeled_dir=no"], "--unlabeled_dir=no is not a folder"),
        ("train", ["--workdir=new", "--unlabeled_dir=RUN", "--supervision=labeled"], "leave one"),
        ("train", ["--workdir=SWEEP"], "holds a sweep: give another one, such as SWEEP/best"),
        ("tune", ["--workdir=new", "--dataset=meshes", "--manual_dir=no"], "--manual_dir=no"),
        ("build_data", ["--dataset=meshes", "--mesh_up=up", "--manual_dir=RUN"], "--mesh_up=up"),
        ("evaluate", ["--workdir=no"], "no is not a workdir"),
        ("evaluate", ["--workdir=RUN"], "holds no checkpoint"),
        ("reconstruct", ["--model=RUN"], "name an image"),
        ("train", ["--workdir=new", "--init_from=pretraind"], "--init_from=pretraind holds no"),
        ("train", ["--workdir=new", "--flagfile=none.flags"], "none.flags cannot be read"),
        ("train", ["--workdir=FILE"], "FILE needs a folder, but FILE is a file"),
        ("train", ["--workdir=new", "--data_dir=FILE/a/b"], "but FILE is a file"),
        ("tune", ["--workdir=FILE"], "FILE needs a folder, but FILE is a file"),
        ("build_data", ["--data_dir=FILE"], "FILE needs a folder, but FILE is a file"),
        ("reconstruct", ["no.png"], "no.png does not exist: correct the path"),
        ("reconstruct", ["--views", "FILE", "no.png"], "no.png does not exist"),
        ("reconstruct", ["FILE", "--output_dir=FILE"], "FILE is a file: give another path"),
        ("render", ["SHAPES", "--output_dir=FILE"], "FILE is a file: give another path"),
        ("export", ["--workdir=RUN", "--output=FILE/1"], "FILE is a file: give another path"),
        ("export", ["--workdir=RUN", "--output=m.onnx"], "add --format=onnx"),
        ("export", ["--workdir=RUN", "--output=m.tflite", "--format=onnx"], "--format=tflite"),
        ("reconstruct", ["--model=RUN", "a.png"], "holds no checkpoint"),
        ("reconstruct", ["--model=RUN", "a.png", "--format=npz", "--size_mm=9"], "--format=glb"),
        ("reconstruct", ["--model=RUN", "a.png", "--format=stl", "--color"], "glb, obj or ply"),
        ("reconstruct", ["--model=RUN", "a.png", "--viewpoints=20,30"], "add --views"),
        ("reconstruct", ["--model=RUN", "a.png", "--views", "--viewpoints=a,b"], "two numbers"),
        ("demo", ["--model="], "holds no checkpoint"),
        ("demo", ["--model=hf://chairs"], "hf://chairs does not name a repository: write hf://"),
        ("train", ["--workdir=new", "--init_from=hf://a/b/c"], "does not name a repository"),
        ("export", ["--workdir=RUN", "--output=models"], "must end in a version number"),
        ("export", ["--workdir=RUN", "--output=RUN"], "exists already"),
        ("export", ["--workdir=RUN", "--output=models/1"], "holds no checkpoint"),
    ],
)
def test_bad_input_is_refused_before_tensorflow_is_loaded(
    command, arguments, said, workdir, sweep, shapes, tmp_path
):
    names = {"RUN": workdir, "SWEEP": sweep, "SHAPES": shapes, "FILE": workdir / "settings.flags"}
    for name, path in names.items():
        said = said.replace(name, str(path))
        arguments = [argument.replace(name, str(path)) for argument in arguments]
    assert_refused_at_once(run(f"ptn_semi.{command}", *arguments, folder=tmp_path), said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        ("train", "--workdir=gs://bucket/run"),
        ("train", "--workdir=hf://user/model"),
        ("train", "--data_dir=GS://bucket/data"),
        ("train", "--init_from=gs://bucket/run"),
        ("train", "--flagfile=gs://bucket/my.flags"),
        ("tune", "--workdir=hdfs://bucket/sweep"),
        ("build_data", "--manual_dir=s3://bucket/shapes"),
        ("evaluate", "--output=gs://bucket/scores.json"),
        ("evaluate", "--save_predictions=gs://bucket/predictions.npz"),
        ("export", "--output=gs://bucket/models/1"),
        ("render", "--output_dir=gs://bucket/masks"),
        ("render", "gs://bucket/shapes"),
        ("reconstruct", "--model=gs://bucket/run"),
        ("reconstruct", "--output_dir=gs://bucket/out"),
        ("reconstruct", "https://example.org/chair.png"),
        ("demo", "--model=gs://bucket/run"),
    ],
)
def test_paths_that_are_not_local_are_refused_before_work_begins(command, argument, tmp_path):
    ended = run(f"ptn_semi.{command}", argument, folder=tmp_path)
    assert_refused_at_once(ended, f"error: {argument}: only local paths are supported: mount the ")
    assert not list(tmp_path.iterdir())


def test_beam_may_use_addresses(tmp_path):
    options = "--beam_options=temp_location=gs://bucket/tmp"
    ended = run("ptn_semi.build_data", options, "--categories=spoon", folder=tmp_path)
    assert_refused_at_once(ended, "spoon is not in")


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("train", [], "give --workdir=FOLDER"),
        ("train", ["--workdir="], "give --workdir=FOLDER"),
        ("tune", [], "give --workdir=FOLDER"),
        ("evaluate", [], "give --workdir=FOLDER"),
        ("export", ["--output=models/1"], "give --workdir=FOLDER"),
        ("export", ["--workdir=run"], "give --output=PATH"),
    ],
)
def test_a_missing_flag_is_asked_for(command, given, said, tmp_path):
    assert_refused_at_once(run(f"ptn_semi.{command}", *given, folder=tmp_path), said)


@pytest.mark.parametrize("name", ["output", "save_predictions"])
def test_scores_need_the_path_of_a_file(name, workdir, shapes, tmp_path):
    (workdir / "checkpoints").mkdir()
    for path, said in ((shapes, "is a folder: give a file"), (shapes / "a.off/b", "is a file")):
        given = f"--{name}={path}"
        ended = run("ptn_semi.evaluate", f"--workdir={workdir}", given, folder=tmp_path)
        assert_refused_at_once(ended, said)


def test_a_run_that_resumes_does_not_need_what_it_started_from(tmp_path):
    train = settings.TrainSettings(init_from=str(tmp_path / "deleted"))
    chosen = settings.DataSettings(), train, settings.RunSettings()
    with pytest.raises(UserError, match="deleted holds no checkpoint"):
        workdirs.check_training(tmp_path / "run", *chosen)
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    workdirs.check_training(tmp_path / "run", *chosen)


def test_choices_of_flags_are_those_of_the_libraries():
    assert tuple(losses.GAN_LOSSES) == loss_settings.GAN_LOSSES
    assert tuple(losses.GRADIENT_PENALTIES) == loss_settings.GRADIENT_PENALTIES
    assert tuple(shape_files.SURFACES) == settings.SURFACES
