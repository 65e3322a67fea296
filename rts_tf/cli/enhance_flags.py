"""The flags of ``python -m rts_tf.enhance``."""

from absl import flags

from rts_tf.cli.device import define_device_flag
from rts_tf.cli.engine import define_engine_flags
from rts_tf.cli.json_output import define_json_flag
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.enhance import DEINTERLACE, NONE
from rts_tf.video.wishes import AUDIO_WISHES, AUTO, SUBTITLE_WISHES, Wishes
from rts_tf.video.y4m import RAW_FORMATS

# Those that mean nothing for a stream
ONLY_FOR_FILES = (
    *("preview", "scale", "compare", "codec", "crf", "encoder_preset"),
    *("audio", "subtitles", "deinterlace", "engine", "beam_args"),
)

PREVIEW = "preview.html"  # where --preview without a value writes


class _PageParser(flags.ArgumentParser):
    """The value of --preview, which may be left out: a file, or whether to write ``PREVIEW``."""

    syntactic_help = "a file, or no value"

    def parse(self, argument: object) -> str:
        """The file; empty for none."""
        return {"true": PREVIEW, "false": ""}.get(str(argument), str(argument))


FLAGS = flags.FlagValues()


def _DEFINE_page(name: str, help: str) -> None:
    """Define a flag of a page. It may stand without a value, and swallows no input behind it."""
    serializer: flags.ArgumentSerializer = flags.ArgumentSerializer()
    flag = flags.Flag(_PageParser(), serializer, name, "", help, boolean=True)
    flags.DEFINE_flag(flag, flag_values=FLAGS)


_DEFINE_page(
    "preview",
    "Enhance nothing; write a page, by default preview.html, with the most detailed crops of the"
    " inputs through every network that fits, and how long each would take.",
)
flags.DEFINE_string(
    "output",
    "",
    "File for one input, folder for several; the suffix of a file decides the format. Empty:"
    " photo_enhanced.jpg beside photo.jpg, photos_enhanced beside a folder, or - for the input -.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "scale", "1", ("1", "2"), "1: enhance at the same size, 2: enlarge twice.", flag_values=FLAGS
)
flags.DEFINE_string(
    "model",
    "auto",
    "Name of weights that come with rts_tf, a run directory, or a .keras file; auto: weights for"
    " clean or for compressed input, as each file is; fast: the same in real time.",
    flag_values=FLAGS,
)
flags.DEFINE_float(
    "strength",
    1.0,
    "Share of the network's change, from 0 (none; with --scale=2 Lanczos interpolation) to 1.5.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "tile",
    "auto",
    "A tile has at most tile x tile pixels; a number or auto. This bounds the memory.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "overwrite", False, "Overwrite files that exist, inputs included.", flag_values=FLAGS
)
flags.DEFINE_string(
    "compare",
    "",
    "HTML file to write, with a before/after slider for each image and stills of each video.",
    flag_values=FLAGS,
)
flags.DEFINE_boolean(
    "chroma", False, "Videos: enhance colour too, not brightness alone.", flag_values=FLAGS
)
flags.DEFINE_enum(
    "codec",
    "auto",
    ("auto", "h264", "hevc", "vp9", "av1", "ffv1"),
    "Videos: auto is H.264, HEVC above 8 bits, and VP9 in .webm.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "encoder_preset",
    "",
    "Videos: between speed and compression. h264, hevc: ultrafast to placebo; vp9: 8 to 0; av1: 13"
    " to 0; empty: what suits the network.",
    flag_values=FLAGS,
)
flags.DEFINE_string(
    "raw_size",
    "",
    "Width and height, as in 1920x1080, of frames that are read from a pipe without any header.",
    flag_values=FLAGS,
)
flags.DEFINE_enum("raw_format", "yuv420p", RAW_FORMATS, "Their pixel format.", flag_values=FLAGS)
flags.DEFINE_integer(
    "crf",
    None,
    "Videos: less is better and larger; default 17 (h264), 19 (hevc), 24 (vp9), 25 (av1).",
    0,
    63,
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "audio",
    AUTO,
    AUDIO_WISHES,
    "Videos: auto copies sound where the output can hold it, else converts it and says so; none"
    " leaves it out.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "subtitles",
    AUTO,
    SUBTITLE_WISHES,
    "Videos: auto copies subtitles where the output can hold them, else converts text or leaves"
    " them out, and says so; none leaves them out.",
    flag_values=FLAGS,
)
flags.DEFINE_enum(
    "deinterlace",
    NONE,
    DEINTERLACE,
    "Videos: make whole frames with FFmpeg's bwdif, of those marked as interlaced (auto) or of all"
    " (bwdif); none: interlaced video is refused.",
    flag_values=FLAGS,
)
define_json_flag(FLAGS)
define_device_flag(FLAGS)
define_engine_flags(FLAGS)
define_limits_flag(FLAGS)


def wishes() -> Wishes:
    """What the user chose to become of sound and subtitles."""
    return Wishes(FLAGS.audio, FLAGS.subtitles)
