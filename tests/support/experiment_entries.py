"""Entries of the paper's experiments, for tests."""

from ptn_semi.experiments import matrix, scales
from ptn_semi.settings import DataSettings

PAPER = scales.SCALES["paper"]
DATA = DataSettings(categories=(*matrix.PRETRAINING, *matrix.NOVEL))


def entries(*experiments, data=DATA, scale=PAPER, recipe="paper", seeds=2):
    return matrix.Matrix(data, data.categories, scale, recipe, seeds).entries(experiments)
