"""The flags that say what becomes of sound and subtitles beside an enhanced video."""

from absl import flags

from rts_tf.video.wishes import AUDIO_WISHES, AUTO, SUBTITLE_WISHES, Wishes

STREAM_FLAGS = ("audio", "subtitles")


def define_stream_flags(values: flags.FlagValues) -> None:
    """Define ``STREAM_FLAGS`` in ``values``."""
    flags.DEFINE_enum(
        "audio",
        AUTO,
        AUDIO_WISHES,
        "Videos: auto copies sound where the output can hold it, else converts it and says so; none"
        " leaves it out.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "subtitles",
        AUTO,
        SUBTITLE_WISHES,
        "Videos: auto copies subtitles where the output can hold them, else converts text or leaves"
        " them out, and says so; none leaves them out.",
        flag_values=values,
    )


def wishes_in(values: flags.FlagValues) -> Wishes:
    """What the user chose."""
    return Wishes(values.audio, values.subtitles)
