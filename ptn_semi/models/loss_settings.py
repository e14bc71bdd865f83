"""Settings of the training loss: the kinds of losses and their weights.

This module does not import TensorFlow.
"""

import dataclasses

from ptn_semi.projection.rays import POOLINGS
from ptn_semi.utils.flags import setting

SUPERVISIONS = ("labeled", "unlabeled", "both")
GAN_LOSSES = ("non_saturating", "least_squares", "hinge")
GRADIENT_PENALTIES = ("dragan", "r1")
MASK_LOSSES = ("differences", "cross_entropy")


@dataclasses.dataclass(frozen=True)
class LossSettings:
    """Settings of the loss that the training step minimises.

    The weights of the paper's losses default to the authors' values, except for the latent
    invariance: at the authors' weight of 1, E may map all masks to one latent. The losses beyond
    the paper default to a weight of 0, which leaves them out.

    Raises:
      ValueError: if the settings contradict each other.
    """

    supervision: str = setting(
        "both",
        "labeled: pairs with viewpoints (the paper's P); unlabeled: masks alone (U); both (P+U).",
        choices=SUPERVISIONS,
    )
    reconstruction_weight: float = setting(10.0, "Weight of equation 1.", low=0)
    mask_loss: str = setting(
        "differences",
        "How equation 1 compares masks: the paper's absolute and squared differences, or the "
        "cross-entropy of their pixels.",
        choices=MASK_LOSSES,
    )
    pooling: str = setting(
        "absorption",
        "How the voxels v on a ray make a pixel of a projected mask: the paper's absorption, "
        "1 − exp(−Σ v); the probability that any is occupied, 1 − Π (1 − v); or their max.",
        choices=POOLINGS,
    )
    latent_invariance_weight: float = setting(0.1, "Weight of equation 2.", low=0)
    voxel_invariance_weight: float = setting(1.0, "Weight of equation 3.", low=0)
    adversarial_weight: float = setting(
        1.0, "Weight of the GAN loss in G; 0 leaves the GAN out.", low=0
    )
    gradient_penalty_weight: float = setting(10.0, "Weight of the gradient penalty in D.", low=0)
    gan_loss: str = setting("non_saturating", "The GAN loss.", choices=GAN_LOSSES)
    gradient_penalty: str = setting(
        "dragan", "The gradient penalty of D.", choices=GRADIENT_PENALTIES
    )
    occupancy_weight: float = setting(
        0.0,
        "Weight of the cross-entropy between voxels and warped visual hulls of labeled shapes "
        "(warped generated shapes with --supervision=unlabeled).",
        low=0,
    )
    refine: bool = setting(
        False,
        "Train the refiner R on warped visual hulls too. It corrects voxels by the mask, seen from "
        "the viewpoint that V estimates.",
    )
    refine_every: int = setting(
        1,
        "Train R on every so many hulls of a batch; at 64³ it takes most of a step's time.",
        low=1,
        high=1000,
    )
    self_reconstruction_weight: float = setting(
        0.0,
        "Weight of the loss between unlabeled masks and their reconstructions, projected from "
        "estimated viewpoints.",
        low=0,
    )
    self_reconstruction_warmup: int = setting(
        200,
        "Steps over which that weight grows from 0, so that the viewpoint estimator learns first.",
        low=0,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            choices, value = field.metadata.get("choices"), getattr(self, field.name)
            if choices and value not in choices:
                raise ValueError(f"{field.name} must be one of {tuple(choices)}, not {value!r}")
        unlabeled = self.supervision == "unlabeled"
        if unlabeled and not self.adversarial_weight:
            raise ValueError(
                "supervision=unlabeled learns shapes from the GAN alone: it needs an "
                "adversarial_weight, such as 1"
            )
        if self.refine and not self.occupancy_weight:
            raise ValueError(
                "the refiner learns from warped hulls: refine needs an occupancy_weight with it, "
                "such as 30"
            )
        if unlabeled and self.uses_viewpoint_estimator and not self.occupancy_weight:
            raise ValueError(
                "supervision=unlabeled learns viewpoints from generated shapes alone: "
                "self_reconstruction_weight needs an occupancy_weight with it, such as 30"
            )

    @property
    def uses_hulls(self) -> bool:
        """Whether batches need visual hulls."""
        return self.supervision != "unlabeled" and bool(self.occupancy_weight)

    @property
    def batch_names(self) -> list[str]:
        """The names of what a batch has to hold; see `SemiSupervisedReconstructor`."""
        pairs = ["view_a", "view_b", "viewpoint_a", "viewpoint_b"]
        return [
            *(pairs if self.supervision != "unlabeled" else []),
            *(["hull", "warp_strength"] if self.uses_hulls else []),
            *(["unlabeled"] if self.supervision != "labeled" else []),
        ]

    @property
    def updates(self) -> dict[str, int]:
        """How often a training step updates E and G; the other networks once."""
        masks = self.supervision != "labeled"
        pairs = self.supervision != "unlabeled"
        reconstructs = masks and bool(self.self_reconstruction_weight)
        return {
            "encoder": (pairs or bool(self.occupancy_weight)) + reconstructs,
            "generator": pairs + reconstructs + (masks and bool(self.adversarial_weight)),
        }

    @property
    def uses_refiner(self) -> bool:
        """Whether the model has the refiner R, which learns from warped hulls."""
        return self.uses_hulls and self.refine

    @property
    def uses_viewpoint_estimator(self) -> bool:
        """Whether the model has the viewpoint estimator V."""
        reconstructs_masks = self.supervision != "labeled" and self.self_reconstruction_weight
        return bool(reconstructs_masks) or self.uses_refiner
