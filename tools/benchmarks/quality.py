"""The section of `tools/benchmark.py` on whole trainings: the time until a model is good."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.util import tensor_util

from ptn_semi import settings
from ptn_semi.data import preparation
from ptn_semi.utils import flags
from ptn_semi.utils.errors import UserError
from tools.benchmarks.rows import Row

if TYPE_CHECKING:
    from tools.benchmark import Options

_CONFIGS = pathlib.Path(settings.__file__).parent / "configs"
_TARGETS = (0.45, 0.50)  # validation average precision (AP)
_SCORE = "validation/average_precision"
_RECIPES = {
    "semi.flags": [f"--flagfile={_CONFIGS}/semi.flags"],
    # Small networks need the last two settings to learn anything in this time.
    "paper's recipe": [
        f"--flagfile={_CONFIGS}/paper.flags",
        "--preset=small",
        "--generator_learning_rate=1e-3",
        "--latent_invariance_weight=0.1",
    ],
}


def quality(options: "Options") -> Iterator[Row]:
    """Measure the minutes from the start of the command to each validation AP.

    Trainings run on real chairs, 5 % of them posed, with seed 0. The data set is prepared before. A
    recipe that does not reach the last AP in `options.quality_minutes` is stopped, and its row
    tells the best AP.

    Raises:
      UserError: `options.manual_dir` is empty, or a training ended by itself.
    """
    if not options.manual_dir:
        raise UserError("--sections=quality trains on real chairs: give their --manual_dir")
    with tempfile.TemporaryDirectory() as folder:
        data = settings.DataSettings(
            dataset="shapenet_vox32",
            manual_dir=options.manual_dir,
            categories=("chair",),
            data_dir=f"{folder}/data",
        )
        preparation.prepare(data)
        for name, recipe in _RECIPES.items():
            workdir = pathlib.Path(folder, name.partition(".")[0].replace(" ", "_"))
            scores = _train(workdir, data, recipe, options.quality_minutes)
            for target in _TARGETS:
                reached = [minutes for minutes, score in scores if score >= target]
                title = f"to validation AP {target:.2f}, {name}"
                if reached:
                    yield Row(title, reached[0], "min")
                else:
                    best = max((score for _, score in scores), default=0)
                    yield Row(f"{title}: not reached, best {best:.3f}", scores[-1][0], "min")


def _train(workdir, data, recipe, limit):
    """Train until the last target is reached; return (minutes, AP) of each validation."""
    command = [
        sys.executable,
        "-m",
        "ptn_semi.train",
        *recipe,
        f"--workdir={workdir}",
        "--pose_fraction=0.05",
        "--evaluate_every=25",
        "--steps=100000",
        "--seed=0",
        *flags.to_text(data).splitlines(),
    ]
    log = workdir.with_suffix(".txt")
    started = time.time()
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        while True:
            ended = process.poll() is not None
            scores = [((when - started) / 60, score) for when, score in _scores(workdir)]
            if any(score >= _TARGETS[-1] for _, score in scores):
                return scores
            if ended:
                raise UserError(f"a training ended: {log.read_text().splitlines()[-1]}")
            if time.time() - started > 60 * limit and scores:
                return scores
            time.sleep(1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _scores(workdir):
    """Return the (time, validation AP) pairs in a workdir's TensorBoard logs."""
    logs = workdir / "tensorboard"
    if not logs.exists():  # nothing is logged yet
        return []
    events = event_accumulator.EventAccumulator(str(logs), size_guidance={"tensors": 0}).Reload()
    if _SCORE not in events.Tags()["tensors"]:
        return []
    return [
        (event.wall_time, float(tensor_util.make_ndarray(event.tensor_proto)))
        for event in events.Tensors(_SCORE)
    ]
