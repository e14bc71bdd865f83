"""Scales of the experiments: a smoke test, a size for CPUs, and the paper's size."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scale:
    """Size of the trainings; `preset`, `precision` and `evaluate_every` as in the settings."""

    purpose: str  # as shown in reports
    recipe: str  # that it is meant for, one of `matrix.RECIPES`
    preset: str = "small"
    precision: str = "float32"
    evaluate_every: int
    single_steps: int  # of a training on one category
    pretraining_steps: Mapping[float, int]  # of one on several categories, by pose fraction
    pretraining_batch: int  # unlabeled masks in a step of a training on several categories
    fine_tuning_steps: int  # of a fine-tuning that trains the generator alone
    procedural_shapes: int  # of a run that learns from these and from unlabeled masks
    shares: tuple[float, ...] = (0.01, 0.1, 0.5, 1.0)  # pose fractions of figures 4 and 5, except 0
    few_shot: float  # pose fraction of a novel category; the paper uses about 13 shapes
    seeds: int = 3  # by default
    shapes_per_category: int  # by default, in --dataset=procedural
    seconds: Mapping[str, float]  # that a step may take, by supervision, at `pretraining_batch`


SCALES = {
    "smoke": Scale(
        purpose="proves that all parts work together; its scores mean nothing",
        recipe="semi",
        evaluate_every=2,
        single_steps=2,
        pretraining_steps={0.01: 2, 0.5: 2},
        pretraining_batch=8,
        fine_tuning_steps=2,
        procedural_shapes=20,
        shares=(0.01, 0.5),
        few_shot=0.1,
        seeds=1,
        shapes_per_category=30,
        seconds={"labeled": 0.2, "unlabeled": 0.3, "both": 0.3},
    ),
    "cpu": Scale(
        purpose="for 2 cores and a few thousand real shapes: trends, not the paper's scores",
        recipe="semi",
        precision="auto",
        evaluate_every=100,
        single_steps=500,
        pretraining_steps=dict.fromkeys((0.01, 0.1, 0.5, 1.0), 1000),
        pretraining_batch=32,
        fine_tuning_steps=100,
        procedural_shapes=2000,
        few_shot=0.1,
        shapes_per_category=800,
        seconds={"labeled": 0.2, "unlabeled": 0.35, "both": 0.3},
    ),
    "paper": Scale(
        purpose="the paper's networks, steps, categories and pose shares; for a GPU",
        recipe="paper",
        preset="paper",
        evaluate_every=500,
        # A step is a pair of iterations; the authors count single iterations.
        single_steps=10_000,
        pretraining_steps={1.0: 40_000, 0.5: 20_000, 0.1: 10_000, 0.01: 5_000},
        pretraining_batch=64,
        fine_tuning_steps=500,
        procedural_shapes=4000,
        few_shot=0.01,
        shapes_per_category=4000,
        seconds={"labeled": 2.5, "unlabeled": 2.5, "both": 5.0},  # on 2 CPU cores
    ),
}
