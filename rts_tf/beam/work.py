"""What is done with the items of a job; Beam carries it to the processes of its workers."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Parts(NamedTuple):
    """An item that is done in parts, each wherever a worker is free.

    Attributes:
        parts: What describes each part; anything that can be pickled.
    """

    parts: list[Any]


class Work(Protocol):
    """What is done with each item.

    It is pickled, so its class must be found in an installed module. All results are of JSON types.
    An item may be done twice, if a worker is lost, so that what it writes must be whole at any
    time, and the same each time.
    """

    def prepare(self) -> None:
        """Load what all items need. It is called before each stage, and must do so only once."""

    def do(self, item: Any) -> Any:
        """Return the result of an item, or its :class:`Parts`.

        Raises:
            RtsError: The whole job must end, e.g. since the disk is full.
        """

    def failed(self, item: Any, error: Exception) -> Any:
        """Return the result of an item for which something raised what nobody foresaw."""


class WorkInParts(Work, Protocol):
    """Work that may do an item in parts."""

    def do_part(self, item: Any, part: Any) -> Any:
        """Return the result of a part. Raises as :meth:`do`."""

    def finish(self, item: Any, parts: Sequence[Any], results: Sequence[Any]) -> Any:
        """Return the result of an item whose ``parts`` have these results. Raises as :meth:`do`."""
