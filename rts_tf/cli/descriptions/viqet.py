"""What ``rts viqet --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Shown
from rts_tf.cli.descriptions.common import CSV, ENGINE, JSON, WIDE

VIQET = Command(
    name="viqet",
    module="rts_tf.viqet",
    entry="rts_tf.viqet",
    summary="Measure images as the paper does, with VIQET",
    purpose="""\
Measure images as the paper does, with VIQET: a table with a row for each image
and their mean. docs/viqet.md says what the columns mean.""",
    usage="IMAGE_OR_FOLDER... [flags]",
    examples=(
        ("two images", "photo.jpg better.jpg"),
        ("a folder, all digits", "photos --csv=figures.csv"),
        ("what enhancing cost", "better_photos --against=photos"),
    ),
    groups=(
        Group(
            "What to measure",
            (
                Shown("category", "CATEGORY"),
                Shown("against", "ORIGINALS", "An image, or a folder with the same names."),
            ),
        ),
        Group(
            "Output",
            (
                CSV,
                WIDE,
                JSON,
                ENGINE,
            ),
            ("beam_args", "limits"),
        ),
    ),
    arguments=(1, None),
    missing="name images, or folders of images.",
)
