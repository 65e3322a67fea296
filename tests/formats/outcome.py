"""What came of one random file: the fate of each of its properties, and what is wrong with it."""

import re
from typing import NamedTuple

KEPT, CONVERTED, REPORTED, REFUSED, LOST = "kept", "converted", "reported", "refused", "lost"
FATES = KEPT, CONVERTED, REPORTED, REFUSED, LOST

# How a line at the end may name what it is about. The words are those of users, in any case.
NAMES = {
    "audio": r"audio|sound",
    "subtitles": r"subtitle",
    "video": r"video stream",
    "data": r"data|timecode|stream",
    "attachment": r"attachment|font",
    "cover": r"cover|attached|attachment|\bimage",
    "chapters": r"chapter",
    "tags": r"\btags?\b|\blanguages?\b",
    "rotation": r"rotat|display matrix|mirror|upright|turned",
    "aspect": r"aspect",
    "colours": r"colou?r|primaries|matrix|transfer|range",
    "captions": r"caption|A53",
    "AFD": r"AFD|active format|side data",
    "HDR": r"HDR|mastering|light level|brightness",
    "transparency": r"alpha|transparen",
    "pixel format": r"pixel format|became|bits",
    "interlacing": r"interlac",
    # images
    "16 bits": r"\bbits?\b",
    "profile": r"profile|ICC",
    "gamma": r"gAMA|gamma|cHRM|chromaticit|colou?rs?\b|profile",
    "cICP": r"cICP|coding.independent|HDR|colou?rs?\b|profile",
    "mDCV": r"mDCV|cLLI|mastering|HDR|light|brightness|cICP",
    "EXIF": r"EXIF",
    "XMP": r"XMP",
    "IPTC": r"IPTC",
    "text": r"\btexts?\b|comment",
    "comment": r"comment|\btexts?\b",
    "resolution": r"resolution|dpi|pixels per inch",
    "second image": r"MPO|preview|second|other image|further image|gain map|images",
    "gain map": r"gain map|HDR|MPO|second|other image|further image",
    "frames": r"frame|animat|pages?\b|images",
}


class Lines:
    """The lines that a run printed about one file, and which of its properties they name."""

    def __init__(self, text: str):
        """``text``: Of standard error."""
        self.all = [line.strip() for line in text.splitlines() if line.strip()]

    def name(self, what: str, number: int | None = None) -> bool:
        """Whether a line names a property.

        Args:
            what: A key of ``NAMES``.
            number: That of the stream, if it is one. A line that names the kind with the number of
                another stream only is not about this one.
        """
        found = [line for line in map(_message, self.all) if re.search(NAMES[what], line, re.I)]
        if number is None:
            return bool(found)
        return any(not _numbers(line) or number in _numbers(line) for line in found)


def _message(line: str) -> str:
    """A line without the name of the file, whose words are not those of the message."""
    return re.sub(r"^(note|error): ", "", re.sub(r"\S*/\S+?:? ", "", f"{line} "))


def _numbers(line: str) -> set[int]:
    """The numbers of streams that a line names."""
    found: set[int] = set()
    for words in re.findall(r"\b(?:streams?|tracks?) ((?:\d+(?:, | and )?)+)", line):
        found |= set(map(int, re.findall(r"\d+", words)))
    return found


class Outcome(NamedTuple):
    """What came of one random file.

    Attributes:
        number: Of the file.
        what: One line that describes it.
        output: The suffix of the output.
        refused: The reason, if the file was refused.
        fates: Each is a row of the table and one of ``FATES``.
        faults: Each is a kind, for grouping, and a line that says what is wrong.
        lines: What the run printed about it.
    """

    number: int
    what: str
    output: str
    refused: str
    fates: tuple[tuple[str, str], ...]
    faults: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


class Account:
    """Collects the fates and the faults of one file."""

    def __init__(self, lines: Lines):
        self.lines = lines
        self.fates: list[tuple[str, str]] = []
        self.faults: list[tuple[str, str]] = []

    def fate(self, row: str, fate: str) -> None:
        """Note what became of the property that ``row`` is about."""
        self.fates.append((row, fate))

    def fault(self, kind: str, detail: str = "") -> None:
        """Note something that is wrong."""
        self.faults.append((kind, detail))

    def kept_or_named(
        self, row: str, kept: bool, what: str, detail: str = "", number: int | None = None
    ) -> bool:
        """Account for a property: it is kept, or a line names it; else it is lost in silence.

        Args:
            row: Of the table.
            kept: Whether the output holds it.
            what: A key of ``NAMES``.
            detail: What was expected and what was found.
            number: As in :meth:`Lines.name`.

        Returns:
            Whether it is accounted for.
        """
        if kept:
            self.fate(row, KEPT)
        elif self.lines.name(what, number):
            self.fate(row, REPORTED)
        else:
            self.fate(row, LOST)
            self.fault(f"{row}: lost in silence", detail)
            return False
        return True
