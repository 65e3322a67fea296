"""What a video that was written does not hold of its source: chapters, rotation, tags, marks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from av.container import InputContainer
from av.stream import Disposition, Stream

from rts_tf.video.languages import code_in_mov
from rts_tf.video.muxers import CHAPTER, COVER, kind_of
from rts_tf.video.streams import kept_tags

_MOST_NAMES = 6  # of tags in a message
# By which players and users choose among streams
_MARKS = (
    Disposition.forced,
    Disposition.hearing_impaired,
    Disposition.visual_impaired,
    Disposition.comment,
    Disposition.dub,
    Disposition.original,
)


class Losses(NamedTuple):
    """What is missing of a video once it is written.

    Attributes:
        parts: "chapters", "rotation".
        tags: Their names.
        marks: Marks of streams.
        streams: How many are missing.
    """

    parts: list[str]
    tags: list[str]
    marks: list[str]
    streams: int

    @property
    def amount(self) -> int:
        """How much is missing."""
        return len(self.parts) + len(self.tags) + len(self.marks) + 100 * self.streams

    def words(self) -> str:
        """What is missing, in words; empty if nothing is."""
        found = list(self.parts)
        if self.tags:
            more = len(self.tags) - _MOST_NAMES
            shown = ", ".join(self.tags[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
            found.append(f"tags ({shown})")
        if self.marks:
            found.append(f"marks ({', '.join(self.marks)})")
        return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def losses(
    source: InputContainer, kept: Sequence[Stream], written: InputContainer, rotated: bool
) -> Losses:
    """Compare a video that was written with its source.

    Args:
        source: The source.
        kept: Its streams that were written, in order.
        written: What was written.
        rotated: Whether the rotation of the video is missing.
    """
    parts = ["chapters"] if len(written.chapters()) < len(source.chapters()) else []
    if rotated:
        parts.append("rotation")
    pairs = list(zip(_tracks(kept), _tracks(written.streams)))
    return Losses(
        parts,
        _lost_tags(source, pairs, written),
        list(_lost_marks(pairs)),
        max(0, len(kept) - len(written.streams)),
    )


def _tracks(streams: Iterable[Stream]) -> list[Stream]:
    """The streams in their order, without those that a container keeps elsewhere."""
    return [s for s in streams if kind_of(s) not in (COVER, CHAPTER, "attachment")]


def _lost_tags(
    source: InputContainer, pairs: Sequence[tuple[Stream, Stream]], written: InputContainer
) -> list[str]:
    of_all = _comparable(written.metadata)
    found = [name for name, tag in _named(source.metadata) if tag not in of_all]
    for before, after in pairs:
        known = _comparable(after.metadata) | of_all
        found += [name for name, tag in _named(before.metadata) if tag not in known]
    return list(dict.fromkeys(found))


def _named(tags: dict[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The tags that are to be kept: their names, and how they are compared."""
    for name, value in kept_tags(tags).items():
        if value and (name, value) != ("language", "und"):
            yield name, _key(name, value)


def _comparable(tags: dict[str, str]) -> set[tuple[str, str]]:
    return {_key(name, value) for name, value in tags.items()}


def _key(name: str, value: str) -> tuple[str, str]:
    # A name may end in a language, and Matroska writes names in capitals and without spaces.
    name = name.casefold().replace(" ", "_").split("-")[0]
    name = "title" if name == "name" else name  # of a stream in MP4
    return name, code_in_mov(value) if name == "language" else value.strip()


def _lost_marks(pairs: Sequence[tuple[Stream, Stream]]) -> Iterator[str]:
    kinds = set()
    for before, after in pairs:
        # Players take the first stream of a type by default.
        marks = (*_MARKS, Disposition.default) if before.type in kinds else _MARKS
        kinds.add(before.type)
        for mark in marks:
            if before.disposition & mark and not after.disposition & mark:
                yield f"{mark.name} of stream {before.index}"
