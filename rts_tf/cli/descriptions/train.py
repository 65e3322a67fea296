"""What ``rts train --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Shown
from rts_tf.cli.descriptions.common import DATA, DEVICE, VALIDATION

TRAIN = Command(
    name="train",
    module="rts_tf.main",
    entry="rts_tf.main",
    summary="Train a network in stages, on your own images or on samples",
    purpose="""\
Train a super-resolution network in stages, on targets that the network itself
improves. The run is a directory: the same command continues a run that was
stopped.""",
    usage="--data=FOLDER [flags]",
    examples=(
        ("the sample images, in one to five minutes", "--data=sample"),
        ("your own images", "--preset=standard --data=photos --workdir=my_run"),
        ("your own network, in my_network.py", "--network=my_network:build"),
    ),
    groups=(
        Group(
            "Images and network",
            (
                DATA,
                VALIDATION,
                Shown("network", "NAME", "A name, or module:function of your own."),
                Shown("init", "MODEL", "Weights to start from: a name, a run, or a file."),
                DEVICE,
                Shown("precision", "P", "auto, float32 or mixed_bfloat16."),
            ),
            ("data_dir", "images_per_shard", "identity_start"),
        ),
        Group(
            "Run",
            (
                Shown("workdir", "DIRECTORY", "The run; made if it is not there."),
                Shown("preset", "PRESET", "quick, standard or paper: the other settings."),
                Shown("stages", "N"),
            ),
            (
                *("wide", "json", "stop_early", "judge", "checkpoint_every", "keep_targets"),
                *("seed", "targets_engine", "beam_args", "limits"),
            ),
        ),
        Group(
            "Training",
            (
                Shown("first_steps", "N", "Steps of stage 1."),
                Shown("later_steps", "N", "Steps of each later stage."),
                Shown("batch", "N", "Patches per training step."),
                Shown("degradation", "STEPS", "How LR is made."),
            ),
            (
                *("epochs", "patch", "patches_per_image", "flat_share", "learning_rate"),
                *("schedule", "warmup", "ema", "warm_start"),
            ),
        ),
        Group(
            "Degradation",
            (),
            (
                *("kernel", "jpeg_low", "jpeg_high", "noise", "noise_low", "grain_share"),
                *("codecs", "codec_share", "codec_kernel", "crf_low", "crf_high"),
                *("soft_share", "variants"),
            ),
        ),
        Group(
            "Targets", (), ("anchor", "first_targets", "target_kernel", "eight_bit_targets", "tile")
        ),
    ),
    missing="""\
name the images, as in --data=sample: a training takes minutes and writes a directory.""",
)
