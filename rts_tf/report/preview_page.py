"""The page of ``--preview``: crops of the inputs, each through every network that fits."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from rts_tf.errors import ConfigError, printable
from rts_tf.report.slider import data_uri, slider
from rts_tf.report.templates import fill, page, text
from rts_tf.storage import write_text

_MARK = "<title>RTS: preview</title>"


class Candidate(NamedTuple):
    """A crop through one network.

    Attributes:
        name: The network.
        purpose: What it is for, in words.
        note: How long it takes.
        pace: The same in seconds per megapixel.
        pixels: uint8 [H, W, 3], of the size of the crop or twice that.
        chosen: Whether the command would take it for this file.
    """

    name: str
    purpose: str
    note: str
    pace: float
    pixels: np.ndarray
    chosen: bool


class Section(NamedTuple):
    """A crop, and what each network makes of it.

    Attributes:
        name: Of the file.
        before: uint8 [H, W, 3], the crop.
        size: Width and height of the whole image.
        candidates: The networks; there is at least one.
        icc: The colour profile.
    """

    name: str
    before: np.ndarray
    size: tuple[int, int]
    candidates: Sequence[Candidate]
    icc: bytes = b""


def check_replaceable(path: str | os.PathLike) -> None:
    """Raise ConfigError if there is a file at ``path`` that is no such page."""
    if not os.path.exists(path):
        return
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            if _MARK in file.read(4096):
                return
    except OSError:
        pass
    raise ConfigError(f"`preview`={path}: is there, and is no preview; name another file.")


def write_preview(path: str | os.PathLike, sections: Sequence[Section], summary: str) -> None:
    """Write the page. Raises OSError if it cannot be written.

    Args:
        path: The HTML file.
        sections: The crops.
        summary: A sentence for the head of the page.
    """
    html = page(
        "preview.html.template",
        ("slider.js", "preview.js"),
        summary=text(summary),
        sections="\n\n".join(_section(i, section) for i, section in enumerate(sections)),
    )
    write_text(path, html.encode(errors="replace").decode())


def _section(number: int, section: Section) -> str:
    candidates = sorted(section.candidates, key=lambda candidate: not candidate.chosen)
    first = candidates[0]
    before, notes = section.before, ""
    if before.shape[:2] != (size := section.size)[::-1]:
        shown = f"{before.shape[1]} × {before.shape[0]}"
        notes = f"The most detailed {shown} of {size[0]} × {size[1]} pixels. "
    if first.pixels.shape != before.shape:
        height, width = first.pixels.shape[:2]
        before = cv2.resize(before, (width, height), interpolation=cv2.INTER_CUBIC)
        notes += "The original is enlarged by bicubic interpolation."
    name = printable(section.name)
    texts = f"{name}, the original", f"{name}, enhanced"
    labels = ("original", printable(first.name))
    return fill(
        "preview_section.html.template",
        name=text(name),
        notes=f'<p class="quiet">{notes}</p>\n' if notes else "",
        slider=slider(before, first.pixels, labels, texts, section.icc, exact=False),
        choices="\n".join(
            _choice(f"crop{number}", candidate, section.icc, candidate is first)
            for candidate in candidates
        ),
    )


def _choice(group: str, candidate: Candidate, icc: bytes, checked: bool) -> str:
    mark = ' <b class="mark">chosen</b>' if candidate.chosen else ""
    return fill(
        "preview_choice.html.template",
        group=group,
        checked=" checked" if checked else "",
        after=data_uri(candidate.pixels, icc, exact=False),
        name=text(candidate.name),
        mark=mark,
        purpose=text(candidate.purpose),
        note=text(candidate.note),
    )
