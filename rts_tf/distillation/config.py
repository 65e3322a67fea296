"""The settings of a distillation. Nothing here imports TensorFlow."""

import dataclasses
import math

from rts_tf.config import CODECS
from rts_tf.errors import ConfigError
from rts_tf.settings import Settings, setting

KERNEL_SIZES = (3, 5, 7, 9)
JUDGES = ("mos", "energy")


@dataclasses.dataclass(frozen=True)
class DistillationConfig(Settings):
    """Every setting of a distillation. ``python -m rts_tf.distill`` has a flag for each.

    The inputs should be what the teacher was trained on: what video codecs leave for
    ``residual3-video``, JPEG for ``residual3-jpeg``, and ``codec_share=0`` for ``residual3``.
    """

    teacher: str = setting(
        "residual3-video",
        "The network to distil: weights of the package, a run directory, or a .keras file.",
    )
    network: str = setting(
        "luma4-32-32", "Network for luma: its packing and the channels of each hidden layer."
    )

    codecs: str = setting("h264,hevc,av1", "Codecs that the inputs pass, comma-separated.")
    codec_share: float = setting(
        0.85, "Share of the inputs that pass a codec; the others are the images as they are."
    )
    jpeg_low: int = setting(40, "Lowest JPEG or WebP quality drawn.")
    jpeg_high: int = setting(92, "Highest JPEG or WebP quality drawn.")
    crf_low: int = setting(18, "Lowest CRF drawn for video codecs, on the scale of x264.")
    crf_high: int = setting(34, "Highest CRF drawn for video codecs.")
    variants: int = setting(3, "Inputs that are made of each image.")

    kernel_size: int = setting(
        5, "Side in pixels of the kernels of the lifted part, whose weights are tied.", KERNEL_SIZES
    )
    lifted_steps: int = setting(3000, "Training steps with tied weights.")
    free_steps: int = setting(6000, "Training steps after that, with all weights free.")
    batch: int = setting(16, "Patches per training step.")
    patch: int = setting(64, "Side in pixels of the part of a patch that counts.")
    patches_per_image: int = setting(100, "Patch positions per input, drawn at random.")
    lifted_rate: float = setting(4e-3, "Learning rate of Adam with tied weights.")
    free_rate: float = setting(5e-4, "Learning rate of Adam with free weights.")
    flat_weight: float = setting(
        5.0,
        "Weight of errors in flat areas, beyond those at edges: there a little noise is seen.",
    )
    checkpoint_every: int = setting(500, "Training steps between checkpoints.")
    judge: str = setting(
        "mos", "What the report measures: mos (VIQET too), or energy alone, which is quick.", JUDGES
    )

    def validate(self) -> "DistillationConfig":
        """Return the settings themselves.

        Raises:
            ConfigError: A setting cannot work; the message names it.
        """
        self.check_each(_LIMITS)
        if not 0 <= self.codec_share <= 1:
            raise ConfigError(f"`codec_share`={self.codec_share}: must be from 0 to 1.")
        for rate in ("lifted_rate", "free_rate"):
            if not 0 < getattr(self, rate) < math.inf:
                raise ConfigError(f"`{rate}`={getattr(self, rate)}: must be above 0.")
        for low, high in (("jpeg_low", "jpeg_high"), ("crf_low", "crf_high")):
            if getattr(self, low) > getattr(self, high):
                raise ConfigError(
                    f"`{low}`={getattr(self, low)} is above `{high}`={getattr(self, high)}."
                )
        if unknown := set(self.codecs.split(",")) - set(CODECS):
            raise ConfigError(
                f"`codecs`={self.codecs}: {unknown.pop()!r} is none of {', '.join(CODECS)}."
            )
        for name in ("data", "teacher"):
            if not getattr(self, name):
                raise ConfigError(f"`{name}` is empty.")
        return self


_LIMITS = {
    **dict.fromkeys(("lifted_steps", "free_steps", "checkpoint_every"), (1, 10**8)),
    "batch": (1, 4096),
    "patch": (16, 4096),
    **dict.fromkeys(("patches_per_image", "images_per_shard"), (1, 10**6)),
    **dict.fromkeys(("jpeg_low", "jpeg_high"), (1, 100)),
    **dict.fromkeys(("crf_low", "crf_high"), (0, 51)),
    "variants": (1, 64),
    "flat_weight": (0, 1000),
    "seed": (0, 2**31 - 1),
}
