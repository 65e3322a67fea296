"""The checkpoints of Phase A: atomic, two of them, and readable again after a power cut."""

import contextlib
import pathlib
import shutil

import tensorflow as tf

from rts_tf.errors import RtsError
from rts_tf.storage import write_text


def save(manager: tf.train.CheckpointManager, step: int) -> None:
    try:
        manager.save(checkpoint_number=step)
    except (tf.errors.OpError, OSError) as error:
        reason = (
            str(error).splitlines()[0].split("; ")[-1][:200]
        )  # before it: the operation and its temporary file
        free = shutil.disk_usage(manager.directory).free / 1e6
        raise RtsError(
            f"{manager.directory}: the state of step {step} cannot be written ({reason}; {free:.0f} MB free); the one before"
            " is kept. Make room and run the command again."
        ) from None


def mend_list(directory: pathlib.Path) -> None:
    """Where the list of checkpoints in ``directory`` is spoiled, write it anew from those that are there."""
    file = directory / "checkpoint"
    with contextlib.suppress(
        ValueError
    ):  # the list is empty; of another damage TensorFlow makes None
        if not file.exists() or tf.train.get_checkpoint_state(str(directory)):
            return
    found = sorted(directory.glob("ckpt-*.index"), key=lambda path: int(path.stem[len("ckpt-") :]))
    if not found:
        file.unlink()
        return
    lines = [f'model_checkpoint_path: "{found[-1].stem}"']
    for path in found:  # without their times the manager would never delete them
        lines += [
            f'all_model_checkpoint_paths: "{path.stem}"',
            f"all_model_checkpoint_timestamps: {path.stat().st_mtime}",
        ]
    write_text(file, "\n".join(lines) + "\n")


def restore(checkpoint: tf.train.Checkpoint, manager: tf.train.CheckpointManager) -> None:
    """Restore the newest checkpoint, or the one before: TensorFlow does not fsync them, so a power cut may spoil the newest."""
    failure = None
    for path in reversed(manager.checkpoints):
        try:
            checkpoint.restore(path).assert_consumed()
            return
        except (
            tf.errors.OpError,
            AssertionError,
            IndexError,
            ValueError,
        ) as error:  # IndexError: a file that is cut off
            failure = failure or f"{path}: cannot be read ({str(error).splitlines()[0][:200]})"
    if failure:
        raise RtsError(
            f"{failure}; delete {manager.directory} to train this stage from its beginning"
        )
