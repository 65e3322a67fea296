"""What ``rts distill --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Shown
from rts_tf.cli.descriptions.common import DATA, VALIDATION

DISTILL = Command(
    name="distill",
    module="rts_tf.distill",
    entry="rts_tf.distill",
    summary="Distil a network into a small one that runs in real time",
    purpose="""\
Distil a trained network into a small one for luma, which enhances video in
real time. The same command continues a distillation that was stopped.""",
    usage="--teacher=MODEL --data=FOLDER [flags]",
    examples=(
        ("the sample images", "--data=sample"),
        ("your own network", "--teacher=my_run --data=photos --workdir=my_fast"),
        ("for clean input", "--teacher=residual3 --data=photos --codec_share=0"),
    ),
    groups=(
        Group(
            "Run",
            (Shown("workdir", "DIRECTORY"),),
            ("device", "wide", "json", "judge", "checkpoint_every", "seed"),
        ),
        Group(
            "Networks",
            (
                Shown("teacher", "MODEL", "Weights, a run, or a .keras file."),
                Shown("network", "NAME", "Packing, and channels of layers."),
            ),
            ("precision",),
        ),
        Group(
            "Inputs",
            (
                DATA,
                VALIDATION,
                Shown("codecs", "LIST", "That the inputs pass."),
                Shown("codec_share", "X", "Share of the inputs that pass a codec."),
            ),
            (
                *("jpeg_low", "jpeg_high", "crf_low", "crf_high", "variants"),
                *("data_dir", "images_per_shard"),
            ),
        ),
        Group(
            "Steps",
            (
                Shown("lifted_steps", "N", "Steps with tied weights."),
                Shown("free_steps", "N", "Steps after that, with all weights free."),
            ),
            (
                *("kernel_size", "batch", "patch", "patches_per_image", "lifted_rate"),
                *("free_rate", "flat_weight"),
            ),
        ),
    ),
    missing="""\
name the images, as in --data=sample: a distillation takes minutes and writes a directory.""",
)
