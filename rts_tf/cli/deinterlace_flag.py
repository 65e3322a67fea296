"""The flag of rts_tf.enhance for interlaced video."""

from absl import flags

from rts_tf.enhance import DEINTERLACE, NONE


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
