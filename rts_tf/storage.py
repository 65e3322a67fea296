"""Files that are whole or not there: atomic writes, JSON, hashes, fsync, and the lock of a directory."""

import contextlib
import hashlib
import json
import math
import os
import pathlib
import shutil
from collections.abc import Iterator

from rts_tf.errors import RtsError

try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A temporary path beside ``path`` to write to; renamed over ``path`` at the end, removed if the body fails.

    What is there keeps its permissions; of a link, the file is written that it leads to.
    """
    path = pathlib.Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        if path.exists():
            shutil.copymode(path, temporary)
        sync(temporary)
        os.replace(temporary, path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: str | os.PathLike) -> None:
    """Make a file or directory durable (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: pathlib.Path, contents: dict) -> None:
    """Write a JSON file atomically; what is not finite becomes null, which JSON has."""
    write_text(path, json.dumps(_finite(contents), indent=1, allow_nan=False) + "\n")


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: pathlib.Path) -> dict | None:
    """The contents of a JSON file, None where there is none. Raises RtsError if it is damaged."""
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(contents, dict):
            raise ValueError("not an object")
        return contents
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RtsError(f"{path}: is damaged ({error}); delete it to have it made again") from None


def lock(root: pathlib.Path, flag: str, what: str):
    """An open file, closed to let others in. Raises RtsError, naming ``flag``, where another process ``what``."""
    file = open(root / ".lock", "w")  # noqa: SIM115  held until the work is over
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise RtsError(
                f"{flag}={root}: another process {what}; wait for it, or stop it."
            ) from None
    return file


def sha256_of_file(path: pathlib.Path) -> str:
    """SHA-256 of the contents of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
