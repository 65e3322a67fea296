"""Phase B (section 3.1): HR_n = d(SR_n(HR_0)), always from HR_0, as float16 shards.

By default HR_n is neither clipped nor rounded to 8 bits: that would lose a tenth of the effect.
"""

import pathlib
from collections.abc import Callable

from rts_tf.data.shard_writer import WriteElsewhere, build
from rts_tf.data.shards import ShardSet
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import instruction_set
from rts_tf.networks.weights import weights_sha256
from rts_tf.training.progress import PhaseBProgress
from rts_tf.training.run import Run
from rts_tf.training.stage import Stage
from rts_tf.training.targets_job import DTYPES, Engine, TargetsJob, target_records
from rts_tf.workers import ALONE, Workers


def run_phase_b(run: Run, stage: Stage, images: str = "training") -> ShardSet:
    """Make HR_n of the ``"training"`` or the ``"validation"`` images, and return its shards.

    Every worker must call it. The training targets of the stage before are removed, unless the
    settings keep them.
    """
    config, workers = run.config, run.workers
    source = run.training if images == "training" else run.validation
    directory = stage.shards(images)
    label = f"stage {stage.number}/{config.stages}  Phase B  {directory.name}"
    on_image = PhaseBProgress(run.progress, label, source, run.work, workers.count)
    job = TargetsJob(directory, source.directory, stage.number, stage.root, config)
    enhancer = run.enhancer(stage)
    shards = build_targets(
        directory,
        source,
        enhancer,
        anchor=config.anchor,
        weights=weights_sha256(run.weights(stage)),
        on_image=on_image,
        warn=run.progress.say,
        eight_bit=config.eight_bit_targets,
        workers=workers,
        elsewhere=_elsewhere(run.engine, job, source, on_image) if run.engine else None,
    )
    on_image.finish()
    if workers.is_chief:
        seconds = sum(note["seconds"] for note in shards.notes.values())
        stage.write_phase_b_seconds(images, seconds)
        if images == "training" and stage.number > 0 and not config.keep_targets:
            before = run.directory.stage(stage.number - 1)
            before.remove(before.shards(images))
    return shards


def _elsewhere(
    engine: Engine, job: TargetsJob, source: ShardSet, on_image: Callable[[str], None]
) -> WriteElsewhere:
    """What lets an engine write shards, with progress."""

    def on_shard(k: int) -> None:
        for name in source.shards[k]["sizes"]:
            on_image(name)

    return lambda numbers: engine(job, numbers, on_shard)


def build_targets(
    directory: pathlib.Path,
    source: ShardSet,
    enhancer: Enhancer,
    *,
    anchor: str,
    weights: str,
    on_image: Callable[[str], None] = lambda name: None,
    warn: Callable[[str], None] = print,
    eight_bit: bool = False,
    workers: Workers = ALONE,
    elsewhere: WriteElsewhere | None = None,
) -> ShardSet:
    """Write HR_n of every image of ``source``, shard for shard in the same order.

    The shards are those of :func:`rts_tf.training.targets_job.target_records`.

    Args:
        anchor: One of :mod:`rts_tf.training.anchors`.
        weights: SHA-256 of the network's weights. Shards made with other weights are made afresh.
        on_image: Called with the name of each image when it is done.
        warn: Called with a line for each shard that is damaged.
        eight_bit: Clip and round HR_n to 8 bits.
        workers: The workers that share out the shards. Every one must make this call.
        elsewhere: See :func:`rts_tf.data.shard_writer.build`.

    Raises:
        ShardError: See :func:`rts_tf.data.shard_writer.build`.
        WorkerError: Another worker failed, or was lost.
    """
    records = target_records(
        source, enhancer, anchor=anchor, eight_bit=eight_bit, on_image=on_image
    )
    made_from = {
        **{"source": source.fingerprint, "weights": weights},
        "anchor": anchor,
        "kernel": enhancer.kernel,
        "eight_bit": eight_bit,
        "border": "repeated",
    }
    return build(
        directory,
        len(source.shards),
        records,
        DTYPES,
        made_from,
        warn,
        made_on=instruction_set(),
        workers=workers,
        elsewhere=elsewhere,
    )
