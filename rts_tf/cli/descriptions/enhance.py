"""What ``rts enhance --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Shown
from rts_tf.cli.descriptions.common import DEVICE, ENGINE, JSON

ENHANCE = Command(
    name="enhance",
    module="rts_tf.enhance",
    entry="rts_tf.enhance.__main__",
    summary="Make images and videos sharper, or images twice as large",
    purpose="""\
Enhance images and videos with a trained network. INPUT is an image, a video,
or a folder, which is searched recursively. Files that exist are skipped, so
the same command continues one that was stopped.""",
    usage="INPUT... [--output=PATH] [flags]",
    examples=(
        ("an image: writes photo_enhanced.jpg beside it", "photo.jpg"),
        ("a folder, and a page to compare", "photos -o better --compare=compare.html"),
        ("a video, in real time", "video.mp4 -o better.mp4 --model=fast"),
    ),
    groups=(
        Group(
            "Output",
            (
                Shown("output", "PATH", "A file or a folder; without it, beside the input."),
                Shown("scale", text="1: the same size, 2: enlarge images twice."),
                Shown("overwrite", text="Overwrite files that exist."),
                Shown("preview", "FILE", "Only show crops through each network, on a page."),
                Shown("compare", "FILE", "Write an HTML page that shows before and after."),
                JSON,
            ),
        ),
        Group(
            "Network",
            (
                Shown("model", "MODEL", "auto, fast, weights, a run, or a .keras file."),
                Shown("strength", "X", "Share of its change, from 0 to 1.5."),
                DEVICE,
                ENGINE,
                Shown("tile", "N", "Side of a tile in pixels; bounds the memory."),
            ),
            ("beam_args",),
        ),
        Group(
            "Videos",
            (
                Shown("codec", "CODEC", "auto, h264, hevc, vp9, av1, ffv1."),
                Shown("crf", "N", "Quality; less is better and larger."),
                Shown("deinterlace", "HOW", "auto, bwdif, or none: refused if interlaced."),
                Shown("audio", "HOW", "auto, copy, aac, opus or none."),
            ),
            ("encoder_preset", "subtitles", "chroma", "limits"),
        ),
        Group("Bare frames on a pipe", (), ("raw_size", "raw_format")),
    ),
    arguments=(1, None),
    missing="name images, videos or folders.",
)
