"""Scores a trained model: `python -m ptn_semi.evaluate --workdir=runs/quickstart --split=test`.

Prints a table and writes `eval_<split>.json` and `eval_<split>.png` in the workdir: average
precision and IoU per category and their mean, of the model and of baselines that hardly look at the
mask. The data set is the one that the model was trained on, unless data flags name another.
"""

from absl import flags as absl_flags

from ptn_semi import settings
from ptn_semi.data.checks import check_shapes
from ptn_semi.inference.paths import check_model
from ptn_semi.training import workdirs
from ptn_semi.utils import cli, files, flags

FLAGS = absl_flags.FLAGS


def define_flags() -> None:
    """Define the command's flags."""
    absl_flags.DEFINE_string("workdir", None, "Folder of the trained run.")
    absl_flags.DEFINE_string(
        "split", "test", "Any TFDS split expression, such as test or test[:50%]."
    )
    absl_flags.DEFINE_enum(
        "checkpoint", "best", ["best", "last"], "The best by validation AP, or the last one."
    )
    absl_flags.DEFINE_integer(
        "evaluated_views", 0, "How many views of each shape are inputs; 0 for all.", lower_bound=0
    )
    absl_flags.DEFINE_boolean(
        "global_turn",
        False,
        "Turn all reconstructions about the vertical axis by the one angle that "
        "suits the validation split best; for models trained without viewpoints.",
    )
    absl_flags.DEFINE_string("output", "", "JSON file for the scores, if not in the workdir.")
    absl_flags.DEFINE_string(
        "save_predictions", "", "NPZ file for ids, views, viewpoints and probabilities (float16)."
    )
    flags.define(settings.DataSettings)
    flags.keep_local("workdir", "output", "save_predictions")
    flags.require("workdir", "FOLDER")


def main() -> None:
    """Parse flags and call the library."""
    trained_on, train, _ = workdirs.read_settings(FLAGS.workdir)
    data = flags.override(trained_on)
    check_model(FLAGS.workdir)
    check_shapes(data)
    for name in ("output", "save_predictions"):
        if path := FLAGS[name].value:
            files.check_file(path, f"--{name}={path}")
    with cli.loading():
        from ptn_semi.evaluation import viewpoint_scores, workdir_scores
    scores = workdir_scores.evaluate_workdir(
        FLAGS.workdir,
        data,
        train,
        split=FLAGS.split,
        which=FLAGS.checkpoint,
        num_views=FLAGS.evaluated_views or None,
        global_turn=FLAGS.global_turn,
        output=FLAGS.output or None,
        save_predictions=FLAGS.save_predictions or None,
    )
    print(workdir_scores.table(scores["rows"]))
    if "viewpoints" in scores:
        print(viewpoint_scores.describe(scores["viewpoints"]))


if __name__ == "__main__":
    cli.run(main, define_flags)
