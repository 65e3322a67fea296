"""The checkpoints of Phase A: two of them, each whole or not there, readable after a power cut."""

import contextlib
import pathlib
import shutil
from typing import Any

import tensorflow as tf

from rts_tf.errors import RtsError, first_line
from rts_tf.storage import write_text


class Checkpoints:
    """The two newest checkpoints of a training in a directory."""

    def __init__(self, directory: pathlib.Path, parts: dict[str, Any]):
        """Restore ``parts``, which TensorFlow can save, from the newest checkpoint that is whole.

        TensorFlow does not fsync its checkpoints, so a power cut may spoil the newest one; then the
        one before it is taken. Without checkpoints ``parts`` stay as they are.

        Raises:
            RtsError: All checkpoints are damaged.
        """
        _mend_list(directory)
        self._checkpoint = tf.train.Checkpoint(**parts)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(directory), max_to_keep=2)
        failure = None
        for path in reversed(self._manager.checkpoints):
            try:
                self._checkpoint.restore(path).assert_consumed()
                return
            # A file that is cut off raises IndexError.
            except (tf.errors.OpError, AssertionError, IndexError, ValueError) as error:
                reason = first_line(error)
                failure = failure or f"{path}: cannot be read ({reason})"
        if failure:
            raise RtsError(f"{failure}; delete {directory} to train this stage from its beginning")

    def save(self, step: int) -> None:
        """Save the state of ``step``.

        Raises:
            RtsError: The disk is full, or the like. The checkpoint before is kept.
        """
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
