"""Writes files that are either whole or not there: atomic writes, JSON, hashes and fsync.

This is the only module that does these. What Windows and macOS lack or do otherwise is handled
here, so that other modules need not ask which system they run on.
"""

import contextlib
import hashlib
import json
import math
import os
import pathlib
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

from rts_tf.errors import RtsError

# On Windows a file cannot be replaced while another program, such as a virus scanner, has it open.
# That takes a moment as a rule.
_RETRY_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8) if os.name == "nt" else ()  # seconds


_SEAL = "seal"  # the key of the hash in a sealed JSON file
LARGEST_JSON = 64 * 2**20  # characters; the record of a shard of a thousand images has .1 MB

# Processes in containers on several hosts may have one number.
_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]

LONGEST_NAME = 255  # bytes of the name of a file, as nearly all file systems have it
_LONGEST_SUFFIX = 32  # characters; what is longer behind a dot stands for no format
_DIGEST = 12  # hexadecimal digits in the place of what a hidden name has no room for


def hidden_name(name: str, end: str) -> str:
    """The name of a hidden file that belongs to another one: a dot, its name, and ``end``.

    A long ``name`` is cut, and a digest of it put in the place of what was cut off, so that the
    result has no more than ``LONGEST_NAME`` bytes.
    """
    hidden = f".{name}{end}"
    if len(os.fsencode(hidden)) <= LONGEST_NAME:
        return hidden
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:_DIGEST]
    room = LONGEST_NAME - len(os.fsencode(f".-{digest}{end}"))
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return f".{name}-{digest}{end}"


def temporary_name(name: str, suffix: str = "") -> str:
    """The name of a hidden file that no other process uses, on this host or on another."""
    return hidden_name(name, f".{os.getpid()}.{_HOST}.tmp{suffix}")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yield a temporary path beside ``path``, and publish the file written there as ``path``.

    If the body raises, the temporary file is removed and ``path`` stays as it was. A file that is
    replaced keeps its permissions. If ``path`` is a symbolic link, its target is replaced.

    Raises:
        OSError: The file cannot be written, or it cannot take the place of ``path``.
    """
    path = pathlib.Path(os.path.realpath(path))
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    temporary = path.with_name(temporary_name(path.stem, suffix))
    try:
        yield temporary
        if path.exists():
            shutil.copymode(path, temporary)
        publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def publish(source: str | os.PathLike, target: str | os.PathLike) -> None:
    """Make a file or a directory with all its files durable, then rename it to ``target``.

    Both must be on the same file system. A file at ``target`` is replaced; a directory must not be
    there, unless it is empty.

    Raises:
        OSError: ``source`` cannot be synced or renamed.
    """
    source = pathlib.Path(source)
    if source.is_dir():
        for path in source.rglob("*"):
            sync(path)
    sync(source)
    rename(source, target)
    sync(pathlib.Path(target).parent)


def rename(source: str | os.PathLike, target: str | os.PathLike) -> None:
    """Rename a file or directory, and replace a file that is at ``target``.

    Windows refuses this while another program has the target open, so there the call tries again
    for one and a half seconds.

    Raises:
        OSError: The rename fails.
    """
    for pause in _RETRY_PAUSES:
        with contextlib.suppress(PermissionError):
            os.replace(source, target)
            return
        time.sleep(pause)
    os.replace(source, target)


def sync(path: str | os.PathLike) -> None:
    """Make a file or directory durable (fsync).

    A directory that cannot be opened is left alone: Windows opens none, and there the file system
    itself makes a rename durable.

    Raises:
        OSError: The file cannot be opened or synced.
    """
    is_directory = os.path.isdir(path)
    # Windows syncs only what is open for writing.
    mode = os.O_RDWR if os.name == "nt" and not is_directory else os.O_RDONLY
    try:
        descriptor = os.open(path, mode)
    except PermissionError:
        if is_directory:
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write ``text`` atomically as UTF-8, with the line ends that it has."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_json(path: str | os.PathLike, contents: dict, sealed: bool = False) -> None:
    """Write a JSON file atomically. JSON has no NaN or infinity, so they become null.

    Args:
        path: The file.
        contents: What to write.
        sealed: Add a hash of the contents, ``seal``, by which :func:`read_json` notices when a
            figure has changed on the disk.
    """
    contents = _finite(contents)
    if sealed:
        contents = {**contents, _SEAL: _seal_of(contents)}
    write_text(path, json.dumps(contents, indent=1, allow_nan=False) + "\n")


def _seal_of(contents: dict) -> str:
    text = json.dumps(contents, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(
    path: str | os.PathLike, kinds: Mapping[str, type | tuple[type, ...]] | None = None
) -> dict | None:
    """Return the object in a JSON file without its seal, or None if there is no file.

    Args:
        path: The file.
        kinds: The types of values that must be there, by their keys.

    Raises:
        RtsError: The file is damaged, was changed since it was sealed, holds something else than
            an object with values of ``kinds``, or is larger than ``LARGEST_JSON``.
        OSError: The file cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LARGEST_JSON + 1)
        if len(text) > LARGEST_JSON:
            raise ValueError(f"more than {LARGEST_JSON >> 20} MiB")
        contents = _parsed(text)
        if not isinstance(contents, dict):
            raise ValueError("not an object")
        seal = contents.pop(_SEAL, None)
        if seal is not None and seal != _seal_of(contents):
            raise ValueError("its contents are not those that were written")
        for key, kind in (kinds or {}).items():
            if not isinstance(contents.get(key), kind):
                raise ValueError(f"its {key!r} is missing, or of another kind")
        return contents
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RtsError(f"{path}: is damaged ({error}); delete it to have it made again") from None


def _parsed(text: str) -> Any:
    """Parse JSON. Raises ValueError, whatever is wrong."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep") from None


def read_json_or_none(path: str | os.PathLike) -> dict | None:
    """Return the object in a JSON file, or None if the file is missing, unreadable or damaged."""
    try:
        return read_json(path)
    except (OSError, RtsError):
        return None


def sha256_of_file(path: str | os.PathLike) -> str:
    """Return the SHA-256 of the contents of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_directory(path: str | os.PathLike) -> str:
    """Return the SHA-256 over the names and contents of all files below ``path``, in order."""
    root, digest = pathlib.Path(path), hashlib.sha256()
    for file in sorted(root.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(root).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
