"""Flags of rts_tf.enhance for videos, and the settings that all of these flags make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

from rts_tf.enhance import DEINTERLACE, NONE

if TYPE_CHECKING:  # it imports TensorFlow, which must not be loaded before flags are read
    from rts_tf.enhance.coding import Settings


def define_deinterlace(values: flags.FlagValues) -> None:
    """Define ``--deinterlace``."""
    flags.DEFINE_enum(
        "deinterlace",
        NONE,
        DEINTERLACE,
        "Videos: make whole frames with FFmpeg's bwdif, of those marked as interlaced (auto) or of"
        " all (bwdif); none: interlaced video is refused.",
        flag_values=values,
    )


def settings_of(values: flags.FlagValues) -> Settings:
    """The settings for videos that the flags say."""
    from rts_tf.enhance.coding import Settings

    return Settings(
        values.strength,
        values.chroma,
        values.codec,
        values.crf,
        values.encoder_preset,
        deinterlace=values.deinterlace,
    )
