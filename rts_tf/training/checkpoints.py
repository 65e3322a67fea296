"""The checkpoints of Phase A: two of them, each whole or not there, readable after a power cut."""

import contextlib
import pathlib
import shutil
import tempfile
from typing import Any

import tensorflow as tf

from rts_tf.errors import RtsError, first_line
from rts_tf.storage import write_text
from rts_tf.workers import ALONE, Workers

# A file that is cut off raises IndexError, and a size in it that is too large MemoryError.
_UNREADABLE = tf.errors.OpError, AssertionError, IndexError, MemoryError, ValueError


class Checkpoints:
    """The two newest checkpoints of a training in a directory.

    Of several workers the chief reads and writes them. The others take over the chief's state, and
    must take part when it is written: some variables are sums over the workers.
    """

    def __init__(self, directory: pathlib.Path, parts: dict[str, Any], workers: Workers = ALONE):
        """Restore ``parts``, which TensorFlow can save, from the newest checkpoint that is whole.

        TensorFlow does not fsync its checkpoints, so a power cut may spoil the newest one; then the
        one before it is taken. Without checkpoints ``parts`` stay as they are.

        Args:
            parts: Variables, networks and optimizers by name.
            workers: Every one must make this call.

        Raises:
            RtsError: All checkpoints are damaged.
            WorkerError: Another worker failed, or was lost.
        """
        self._workers, self._checkpoint = workers, tf.train.Checkpoint(**parts)
        with workers.together():
            if workers.is_chief:
                self._restore(directory)
            else:
                self._scratch = tempfile.TemporaryDirectory()
                self._manager = tf.train.CheckpointManager(
                    self._checkpoint, self._scratch.name, max_to_keep=1
                )
        if workers.count > 1:
            _take_over(workers, parts)

    def _restore(self, directory: pathlib.Path) -> None:
        _mend_list(directory)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(directory), max_to_keep=2)
        failure = None
        for path in reversed(self._manager.checkpoints):
            try:
                self._checkpoint.restore(path).assert_consumed()
                return
            except _UNREADABLE as error:
                reason = first_line(error)
                failure = failure or f"{path}: cannot be read ({reason})"
        if failure:
            raise RtsError(f"{failure}; delete {directory} to train this stage from its beginning")

    def save(self, step: int) -> None:
        """Save the state of ``step``. Every worker must call it.

        Raises:
            RtsError: The disk is full, or the like. The checkpoint before is kept.
            WorkerError: Another worker failed, or was lost.
        """
        with self._workers.together():
            self._save(step)

    def _save(self, step: int) -> None:
        try:
            self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            # The operation and its temporary file come first in TensorFlow's message.
            reason = str(error).splitlines()[0].split("; ")[-1][:200]
            directory = self._manager.directory
            free = shutil.disk_usage(directory).free / 1e6
            raise RtsError(
                f"{directory}: the state of step {step} cannot be written ({reason}; {free:.0f} MB"
                " free); the one before is kept. Make room and run the command again."
            ) from None


def _take_over(workers: Workers, parts: dict[str, Any]) -> None:
    """Set all variables to what they are for the chief."""
    variables: list[Any] = []
    for part in parts.values():
        variables += getattr(part, "variables", [part])
    values = workers.chiefs_arrays([variable.numpy() for variable in variables])
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _mend_list(directory: pathlib.Path) -> None:
    """Write TensorFlow's list of checkpoints anew, from those that are there, if it is damaged."""
    file = directory / "checkpoint"
    # An empty list raises ValueError; other damage gives None.
    with contextlib.suppress(ValueError):
        if not file.exists() or tf.train.get_checkpoint_state(str(directory)):
            return
    found = sorted(directory.glob("ckpt-*.index"), key=lambda path: int(path.stem[len("ckpt-") :]))
    if not found:
        file.unlink()
        return
    lines = [f'model_checkpoint_path: "{found[-1].stem}"']
    for path in found:
        lines.append(f'all_model_checkpoint_paths: "{path.stem}"')
        # Without their times the manager would never delete the checkpoints.
        lines.append(f"all_model_checkpoint_timestamps: {path.stat().st_mtime}")
    write_text(file, "\n".join(lines) + "\n")
