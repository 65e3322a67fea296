"""The settings of a run: a dataclass with all defaults, three presets, and a JSON round trip.

Nothing here imports TensorFlow, so a mistyped flag is reported at once.
"""

import dataclasses
import math
from typing import Any, ClassVar

from rts_tf.errors import ConfigError
from rts_tf.settings import Settings, setting

# Networks by name: the module of rts_tf.networks, and the settings of its function ``build``
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "residual1": ("residual", {"depth": 1}),
    "residual3": ("residual", {"depth": 3}),
    "residual6": ("residual", {"depth": 6}),
    "residual3-wide": ("residual_wide", {"depth": 3}),
    "srcnn": ("srcnn", {}),
    "vdsr": ("vdsr", {}),
    "srresnet": ("srresnet", {}),
    "edsr": ("edsr", {}),
}
KERNELS = ("bilinear", "lanczos", "bicubic", "box", "gaussian")
TARGET_KERNELS = ("lanczos", "bicubic", "bilinear")
ORDERS = ("jpeg,reduce", "reduce,jpeg", "reduce", "reduce,codec")
CODECS = ("jpeg", "webp", "h264", "hevc", "av1")
ANCHORS = ("none", "low", "band", "detail")
SCHEDULES = ("cosine", "constant")
JUDGES = ("auto", "mos", "delta")
FIRST_TARGETS = ("originals", "enhanced")
DEFAULT_NETWORK = "residual3"


@dataclasses.dataclass(frozen=True)
class Config(Settings):
    """Every setting of a run. ``python -m rts_tf.main`` has a flag of the same name for each.

    The metadata of each field holds its "help" text and its "choices", a tuple that is empty if
    there are none.

    Example::

        config = dataclasses.replace(rts_tf.Config(), data="photos", stages=6).validate()
    """

    # The settings of degradation=reduce,codec and of fine-tuning, which came later than the others
    ADDED: ClassVar[frozenset[str]] = frozenset(
        (
            *("codecs", "codec_share", "codec_kernel", "crf_low", "crf_high", "soft_share"),
            *("variants", "flat_share", "grain_share", "noise_low", "init", "first_targets"),
        )
    )
    EXTENDING: ClassVar[frozenset[str]] = frozenset(("stages", "stop_early"))

    preset: str = setting(
        "quick", "Preset that the other settings start from.", ("quick", "standard", "paper")
    )
    network: str = setting(
        "auto",
        "Network (docs/networks.md); your own as module:function; auto: that of `init`, else"
        f" {DEFAULT_NETWORK}.",
        (*NETWORKS, "auto"),
    )
    init: str = setting(
        "",
        "Weights to start from: a name such as residual3, a run directory, or a .keras or"
        " .weights.h5 file; empty: see `identity_start`.",
    )
    first_targets: str = setting(
        "originals",
        "What stage 1 trains on: originals (section 3.1), or, with `init`, enhanced: what Phase B"
        " makes of them with the weights of `init`.",
        FIRST_TARGETS,
    )
    stages: int = setting(4, "The most stages to train; a run can be given more later.")
    stop_early: bool = setting(
        True, "Stop when the change between stages turns upward (section 3.4)."
    )

    first_steps: int = setting(260, "Training steps of stage 1.")
    later_steps: int = setting(130, "Training steps of each later stage.")
    epochs: int = setting(
        0, "If above 0: passes over all patches per stage, instead of the two step counts."
    )
    batch: int = setting(8, "Patches per training step (section 4.1: 8).")
    patch: int = setting(96, "Side of an HR patch in pixels, even (section 4.1: 256).")
    patches_per_image: int = setting(
        100, "Patch positions per image, drawn at random (section 4.1: 100)."
    )
    learning_rate: float = setting(1e-3, "Learning rate of Adam (section 4.1: 0.001).")
    schedule: str = setting(
        "cosine", "Learning rate over a stage; cosine starts with a warm-up.", SCHEDULES
    )
    warmup: int = setting(30, "Warm-up steps of the cosine schedule.")
    ema: float = setting(
        0.0, "Decay of the moving average of the weights, e.g. 0.999; 0 turns it off."
    )
    identity_start: bool = setting(
        True, "Start as plain interpolation; otherwise with random convolutions (Glorot)."
    )
    warm_start: bool = setting(
        True, "Stage n starts from the weights of stage n-1, not as stage 1 did."
    )
    checkpoint_every: int = setting(200, "Training steps between checkpoints.")

    kernel: str = setting("bilinear", "Kernel of the 2x reduction HR -> LR, antialiased.", KERNELS)
    degradation: str = setting("jpeg,reduce", "Steps that make LR, in this order.", ORDERS)
    jpeg_low: int = setting(60, "Lowest JPEG quality drawn.")
    jpeg_high: int = setting(95, "Highest JPEG quality drawn.")
    noise: float = setting(
        0.0, "Largest std of Gaussian noise on LR, in levels, drawn per image; 0: none."
    )
    noise_low: float = setting(0.0, "Smallest std of that noise.")
    grain_share: float = setting(0.0, "Share of LR whose noise is alike in neighbouring pixels.")

    codecs: str = setting(
        ",".join(CODECS), "With `degradation`=reduce,codec: the codecs drawn from, comma-separated."
    )
    codec_share: float = setting(
        0.5, "Share of the LR variants that pass a codec; the others are only reduced."
    )
    codec_kernel: str = setting(
        "",
        "Kernel that reduces the LR variants that pass a codec; empty: `kernel`.",
        ("", *KERNELS),
    )
    crf_low: int = setting(18, "Lowest CRF drawn for video codecs, on the scale of x264.")
    crf_high: int = setting(36, "Highest CRF drawn for video codecs.")
    soft_share: float = setting(
        0.25, "Share of the coded LR variants that are blurred, or coded at 2/3 of their size."
    )
    variants: int = setting(
        4, "With `degradation`=reduce,codec: LR variants of each training image, one drawn a visit."
    )
    flat_share: float = setting(
        0.0, "Share of the patches that are one random colour, so that pure colours are kept."
    )

    target_kernel: str = setting(
        "lanczos", "Kernel of d() in Phase B; everywhere else it is Lanczos.", TARGET_KERNELS
    )
    eight_bit_targets: bool = setting(False, "Clip and round HR_n to 8 bits, as image files would.")
    anchor: str = setting(
        "low",
        "What HR_n keeps from HR_0: none, low frequencies, band (also Nyquist), detail.",
        ANCHORS,
    )
    tile: int = setting(
        1280, "A tile of Phase B has at most tile x tile pixels; this bounds the memory."
    )
    judge: str = setting(
        "auto",
        "What selects a stage: mos (VIQET), delta (the change); auto: mos if images are large.",
        JUDGES,
    )
    keep_targets: bool = setting(False, "Keep the target shards of every stage.")

    def steps(self, stage: int, images: int) -> int:
        """Return the training steps of ``stage`` (from 1) on a number of training ``images``."""
        if self.epochs:
            return math.ceil(self.epochs * images * self.patches_per_image / self.batch)
        return self.first_steps if stage == 1 or not self.warm_start else self.later_steps

    def trains_on_enhanced(self, stage: int) -> bool:
        """Whether the targets of ``stage`` (from 1) are what Phase B made, not the originals."""
        return stage > 1 or self.first_targets == "enhanced"

    def continuing(self, recorded: "Config") -> "Config":
        """Return these settings for a run that began with ``recorded``."""
        config = super().continuing(recorded)
        if config.network != "auto":
            return config
        return dataclasses.replace(config, network=recorded.network)

    def extends(self, recorded: "Config", begun: int) -> bool:
        """Whether the run may go on: with as many stages as it has begun or more.

        A run that was to stop early may also go on without that. The other way round, stages may
        have been trained that a run which began so would not have.
        """
        changed = {name for name, value in vars(self).items() if value != vars(recorded)[name]}
        later = self.stages >= begun and self.stop_early <= recorded.stop_early
        return changed <= self.EXTENDING and later

    def validate(self) -> "Config":
        """Return the config itself.

        Raises:
            ConfigError: A setting cannot work; the message names it.
        """
        self.check_each(_LIMITS)
        if not 0 < self.learning_rate < math.inf:
            raise ConfigError(f"`learning_rate`={self.learning_rate}: must be above 0.")
        if not 0 <= self.ema < 1:
            raise ConfigError(f"`ema`={self.ema}: must be from 0 (off) to below 1.")
        if self.patch % 2:
            raise ConfigError(f"`patch`={self.patch}: must be even, since LR is half of it.")
        for lowest, highest in _RANGES:
            least, most = getattr(self, lowest), getattr(self, highest)
            if least > most:
                raise ConfigError(f"`{lowest}`={least} is above `{highest}`={most}.")
        for share in ("grain_share", "codec_share", "soft_share", "flat_share"):
            if not 0 <= getattr(self, share) <= 1:
                raise ConfigError(f"`{share}`={getattr(self, share)}: must be from 0 to 1.")
        if unknown := set(self.codecs.split(",")) - set(CODECS):
            raise ConfigError(
                f"`codecs`={self.codecs}: {unknown.pop()!r} is none of {', '.join(CODECS)}."
            )
        if self.first_targets == "enhanced" and not self.init:
            raise ConfigError(
                "`first_targets`=enhanced: name the weights that enhance them with `init`."
            )
        if self.init and not self.identity_start:
            raise ConfigError(f"`init`={self.init}: leave `identity_start` out, or `init`.")
        if not self.data:
            raise ConfigError("`data` is empty: name a folder of images, 'sample' or 'div2k'.")
        return self


_RANGES = (("jpeg_low", "jpeg_high"), ("crf_low", "crf_high"), ("noise_low", "noise"))
_LIMITS = {
    **dict.fromkeys(("noise_low", "noise"), (0, 50)),
    "stages": (1, 100),
    **dict.fromkeys(("first_steps", "later_steps", "checkpoint_every"), (1, 10**8)),
    "epochs": (0, 10**5),
    "batch": (1, 4096),
    "patch": (16, 4096),
    **dict.fromkeys(("patches_per_image", "images_per_shard"), (1, 10**6)),
    "warmup": (0, 10**6),
    **dict.fromkeys(("jpeg_low", "jpeg_high"), (1, 100)),
    **dict.fromkeys(("crf_low", "crf_high"), (0, 51)),
    "variants": (1, 64),
    "tile": (64, 8192),
    "seed": (0, 2**31 - 1),
}


PRESETS = {
    # The sample images, four stages in at most five minutes on two cores
    "quick": Config(),
    # Own images, 50 to 150 of 1 to 2 megapixels, by the recipe of the weights ``residual3``
    "standard": Config(
        preset="standard",
        first_steps=3000,
        later_steps=1200,
        warmup=100,
        checkpoint_every=250,
        degradation="reduce,codec",
        codecs="jpeg",
        codec_share=0.35,
        soft_share=0.0,
        jpeg_high=97,
        noise=4.5,
        grain_share=0.5,
        flat_share=0.03,
        anchor="detail",
    ),
    # Section 4.1 to the letter: 100 patches of 256x256 per image, batch 8, 1e-3, 20 epochs, and
    # nothing anchored
    "paper": Config(
        preset="paper",
        epochs=20,
        patch=256,
        schedule="constant",
        warmup=0,
        warm_start=False,
        anchor="none",
        stages=8,
        stop_early=False,
        checkpoint_every=500,
    ),
}


def preset(name: str, **changes: Any) -> Config:
    """Return the preset ``name`` with ``changes``, validated.

    Raises:
        ConfigError: There is no such preset or setting, or a setting cannot work.
    """
    if name not in PRESETS:
        raise ConfigError(f"`preset`={name}: choose one of {', '.join(PRESETS)}.")
    known = {field.name for field in dataclasses.fields(Config)}
    if unknown := sorted(changes.keys() - known):
        raise ConfigError(f"there is no setting `{unknown[0]}`.")
    return dataclasses.replace(PRESETS[name], **changes).validate()
