"""The folder in which workers leave results, and in which they see that a job is to stop.

It is read and written through Beam's file systems, so that it may lie in an object store too.
"""

import contextlib
import json
import uuid
from typing import Any

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

_END = ".json"
_STOP = "stop"


class Mailbox:
    """The folder of one job. It can be pickled."""

    def __init__(self, folder: str):
        """``folder``: A path, or an address that Beam knows, of a folder that may be made."""
        self._folder = folder

    def open(self) -> None:
        """Make the folder."""
        if not FileSystems.exists(self._folder):
            FileSystems.mkdirs(self._folder)

    def put(self, name: str, message: dict[str, Any]) -> None:
        """Leave a message of JSON types, which is whole as soon as it is seen."""
        self._write(f"{name}{_END}", json.dumps(message))

    def take(self) -> list[dict[str, Any]]:
        """Return the messages that are there, and remove them."""
        (found,) = FileSystems.match([self._path(f"*{_END}")])
        paths = sorted(entry.path for entry in found.metadata_list)
        messages = []
        for path in paths:
            with FileSystems.open(path, "application/octet-stream") as file:
                messages.append(json.loads(file.read().decode()))
        if paths:
            FileSystems.delete(paths)
        return messages

    def stop(self) -> None:
        """Let workers begin nothing more."""
        self._write(_STOP, "")

    def is_stopped(self) -> bool:
        """Whether workers are to begin nothing more."""
        return FileSystems.exists(self._path(_STOP))

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        with contextlib.suppress(BeamIOError, OSError):
            FileSystems.delete([self._folder])

    def _path(self, name: str) -> str:
        return FileSystems.join(self._folder, name)

    def _write(self, name: str, text: str) -> None:
        beside = self._path(f"{name}.{uuid.uuid4().hex}")
        with FileSystems.create(beside, "application/octet-stream") as file:
            file.write(text.encode())
        FileSystems.rename([beside], [self._path(name)])
