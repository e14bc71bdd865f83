"""What a training step minimises: kinds of losses and their weights. Needs no TensorFlow."""

import dataclasses

from ptn_semi.utils.flags import setting

SUPERVISIONS = ("labeled", "unlabeled", "both")
GAN_LOSSES = ("non_saturating", "least_squares", "hinge")
GRADIENT_PENALTIES = ("dragan", "r1")


@dataclasses.dataclass(frozen=True)
class LossSettings:
    """What the training step minimises.

    The paper's weights default to the authors', but for the latent invariance: theirs is 1, at
    which E may map all masks to one latent. Ours default to 0, which leaves them out.

    Raises:
      ValueError: they do not go together.
    """

    supervision: str = setting(
        "both",
        "labeled: pairs with viewpoints (the paper's P); unlabeled: masks alone (U); both (P+U).",
        choices=SUPERVISIONS,
    )
    reconstruction_weight: float = setting(10.0, "Weight of equation 1.", low=0)
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
        "Weight of voxels against warped visual hulls of labeled shapes (of generated shapes "
        "with --supervision=unlabeled).",
        low=0,
    )
    self_reconstruction_weight: float = setting(
        0.0,
        "Weight of unlabeled masks against their reconstructions seen from estimated viewpoints.",
        low=0,
    )
    self_reconstruction_warmup: int = setting(
        200,
        "Steps in which that weight grows from 0; the viewpoint estimator has to learn first.",
        low=0,
    )

    def __post_init__(self):
        if self.supervision not in SUPERVISIONS:
            raise ValueError(f"supervision is one of {SUPERVISIONS}, not {self.supervision!r}")
        if self.supervision == "unlabeled" and not self.adversarial_weight:
            raise ValueError(
                "supervision=unlabeled learns shapes from the GAN alone: it needs an "
                "adversarial_weight, as 1"
            )
        if (
            self.supervision == "unlabeled"
            and self.uses_viewpoint_estimator
            and not self.occupancy_weight
        ):
            raise ValueError(
                "supervision=unlabeled learns viewpoints from generated shapes alone: "
                "self_reconstruction_weight needs an occupancy_weight beside it, as 30"
            )

    @property
    def uses_hulls(self):
        """Whether batches need visual hulls."""
        return self.supervision != "unlabeled" and bool(self.occupancy_weight)

    @property
    def uses_viewpoint_estimator(self):
        """Whether there is a V."""
        return self.supervision != "labeled" and bool(self.self_reconstruction_weight)
