"""What ``rts evaluate --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Needed, Shown
from rts_tf.cli.descriptions.common import CSV, DEVICE, ENGINE, JSON, WIDE

EVALUATE = Command(
    name="evaluate",
    module="rts_tf.evaluate",
    entry="rts_tf.evaluate",
    summary="Measure what a network does to images, and what that costs",
    purpose="""\
Measure a trained network on images: how much it changes them, what that gains
in VIQET's MOS, and what it costs, beside an unsharp mask of equal MOS.""",
    usage="--model=MODEL --images=FOLDER [flags]",
    examples=(
        ("a run of your own", "--model=my_run --images=photos"),
        ("weights in the package, all digits", "--model=residual3 --images=photos --csv=a.csv"),
        ("PSNR and SSIM", "--model=my_run --images=half --reference=full"),
    ),
    groups=(
        Group(
            "What to measure",
            (
                Shown("model", "MODEL"),
                Shown("images", "FOLDER"),
                Shown("reference", "FOLDER", "The images at twice the size: PSNR and SSIM."),
                DEVICE,
                ENGINE,
                Shown("mos"),
            ),
            ("beam_args",),
        ),
        Group(
            "Output",
            (
                CSV,
                WIDE,
                JSON,
            ),
            ("limits",),
        ),
    ),
    missing="name a network and a folder of images.",
    needed=(
        Needed(("model",), "name weights of the package, a run directory or a .keras file."),
        Needed(("images",), "name a folder of images."),
    ),
)
