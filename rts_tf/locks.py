"""Locks a directory, so that one process works in it at a time."""

import os
import pathlib
import shutil
from typing import IO

from rts_tf.errors import RtsError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:  # every other system
    msvcrt = None  # type: ignore[assignment]


class Lock:
    """The right of this process to work in a directory. A context manager; see :func:`lock`."""

    def __init__(self, root: pathlib.Path):
        """Lock ``root``, an existing directory.

        Raises:
            BlockingIOError: Another process holds the lock.
            OSError: The file of the lock cannot be made.
        """
        self.root, self._path = root, root / ".lock"
        self._file: IO[str] = open(self._path, "w")  # noqa: SIM115  held until close()
        try:
            _lock_file(self._file)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let other processes in. The file stays."""
        self._file.close()

    def remove(self) -> None:
        """Let other processes in, and delete the file of the lock."""
        if os.name == "nt":  # an open file cannot be deleted
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._file.close()

    def remove_directory(self) -> None:
        """Delete the directory with everything in it, and let other processes in."""
        if os.name == "nt":
            self.remove()
        shutil.rmtree(self.root)
        self._file.close()

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _lock_file(file: IO[str]) -> None:
    """Lock an open file for this process. Raises BlockingIOError if another process has done so."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except PermissionError as error:
            raise BlockingIOError(*error.args) from None


def lock(root: pathlib.Path, argument: str, what: str) -> Lock:
    """Keep other processes out of the directory ``root`` until the returned lock is closed.

    The lock ends with the process too, however that ends. Where the system has neither kind of
    lock that this module knows, nothing is locked.

    Args:
        root: An existing directory. The lock is a file in it, ``.lock``.
        argument: The name of the argument that named ``root``, for the message.
        what: What the other process is doing, for the message, e.g. "is working on this run".

    Raises:
        RtsError: Another process holds the lock.
        OSError: The file cannot be made.
    """
    try:
        return Lock(root)
    except BlockingIOError:
        raise RtsError(
            f"`{argument}`={root}: another process {what}; wait for it, or stop it."
        ) from None
