"""Networks so small that tests spend their time elsewhere."""

from ptn_semi.models import architectures

TINY = architectures.Architecture(
    latent_dim=8,
    encoder_filters=(4, 4),
    encoder_units=(8,),
    generator_base=4,
    generator_filters=(4, 4),
    discriminator_filters=(4, 4),
    kernel_size=4,
    refiner_filters=(2, 4, 4),
)
