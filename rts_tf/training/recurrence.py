"""The recurrent training strategy (paper, section 3.1). Open this file first.

    Stage n, Phase A:   SR_n = argmin || HR_{n-1} - SR(LR) ||^2
    Stage n, Phase B:   HR_n = d(SR_n(HR_0))

Every result is written to the run directory once. Whatever is there already is taken from there, so
the same call continues a run that was stopped at any moment.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence

import keras

from rts_tf.config import Config
from rts_tf.training.batch_shares import check_share
from rts_tf.training.callbacks import Callbacks, checked
from rts_tf.training.initial import settled
from rts_tf.training.phase_a import run_phase_a
from rts_tf.training.phase_b import run_phase_b
from rts_tf.training.progress import StartProgress, no_progress
from rts_tf.training.run import Run, prepare
from rts_tf.training.run_directory import RunDirectory, is_run
from rts_tf.training.selection import turned_upward
from rts_tf.training.summary import finish
from rts_tf.training.targets_job import Engine
from rts_tf.training.trials import try_later_phases
from rts_tf.training.validation import validate
from rts_tf.workers import ALONE, Workers


def train(
    config: Config,
    workdir: str | os.PathLike,
    say: Callable[[str], None] = print,
    start_progress: StartProgress = no_progress,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    workers: Workers = ALONE,
    engine: Engine | None = None,
) -> dict:
    """Train a network in stages in ``workdir``, or continue, and return the summary of the run.

    Args:
        config: The settings. The precision ``"auto"`` becomes what suits this machine; a run that
            is continued keeps the precision that it began with.
        workdir: The run directory, see :mod:`rts_tf.training.run_directory`.
        say: Called with each line that the user should read before the progress starts.
        start_progress: Called once with the work that is left, in GFLOP by phase. It returns a
            context manager that gives a :class:`rts_tf.training.progress.Progress`.
        callbacks: Callbacks of Keras, see :mod:`rts_tf.training.callbacks`.
        workers: The workers that share out the run (:mod:`rts_tf.training.cluster`). Every one must
            make this call, with the same settings and a directory that all share.
        engine: Makes the target shards in other processes.

    Returns:
        The contents of ``summary.json``, see :mod:`rts_tf.training.summary`.

    Raises:
        RtsError: The settings, the images or the directory do not allow the run. The message says
            what to do.
        WorkerError: Another worker failed or was lost; the same call of all continues the run.
        Interrupted: The user asked to stop; the same call continues the run.
    """
    config.validate()
    callbacks = checked(callbacks)
    check_share(config, workers)
    with workers.together():
        if workers.is_chief and not is_run(workdir):
            config = settled(config)  # what cannot be built or loaded must not leave a run behind
    with RunDirectory(workdir, config, say, workers) as directory:
        if summary := workers.by_chief(directory.summary):
            return summary
        run = prepare(directory, say, workers, engine)
        run.callbacks = Callbacks(callbacks, run.config)
        with start_progress(run.remaining_work()) as run.progress, run.logs().as_default():
            try_later_phases(run)
            return recur(run)


def recur(run: Run) -> dict:
    """Run the stages (section 3.1), and return the summary of the run."""
    config, workers = run.config, run.workers
    history: list[dict] = []
    reason = f"all {config.stages} stages were trained"
    run.callbacks.training_begins()
    for number in range(1, config.stages + 1):
        stage = run.directory.stage(number)
        metrics = workers.by_chief(stage.metrics)
        if not metrics:
            if not workers.chiefs(stage.is_trained):
                # The targets are HR_{n-1}: HR_0 itself in stage 1, then what Phase B makes.
                before, enhanced = (
                    run.directory.stage(number - 1),
                    config.trains_on_enhanced(number),
                )
                targets = run_phase_b(run, before) if enhanced else None
                run_phase_a(run, stage, targets)
            validate(run, stage, history)
            metrics = workers.by_chief(stage.metrics)
            run.callbacks.stage_ends(stage, run.weights(stage), metrics)
        history.append(metrics)
        if workers.chiefs(run.callbacks.stop):
            reason = f"a callback asked to stop after stage {number}"
            break
        if config.stop_early and turned_upward(history):
            reason = f"stage {number} changed the images more than stage {number - 1} (section 3.4)"
            break
    by_itself = dataclasses.replace(run, workers=ALONE)
    summary = workers.by_chief(lambda: finish(by_itself, history, reason))
    run.callbacks.training_ends()
    return summary
