"""What the benchmark reads of a training that is going on."""

import tensorflow as tf

from tools.benchmarks import quality


def test_scores_are_those_in_tensorboards_logs(tmp_path):
    assert quality._scores(tmp_path) == []  # nothing is there yet
    with tf.summary.create_file_writer(str(tmp_path / "tensorboard")).as_default():
        tf.summary.scalar("reconstruction_loss", 1.0, 1)
        for step, score in ((25, 0.25), (50, 0.5)):
            tf.summary.scalar("validation/average_precision", score, step)
    times, scores = zip(*quality._scores(tmp_path), strict=True)
    assert scores == (0.25, 0.5) and times[0] <= times[1]
