"""docs/formats.md is what ``python -m tests.formats`` writes, which counts what it finds."""

import re

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from tests.formats.image_plans import OUTPUTS as IMAGE_OUTPUTS  # noqa: E402
from tests.formats.outcome import FATES, KEPT, LOST, REPORTED, Account, Lines, Outcome  # noqa: E402
from tests.formats.page import IMAGE_ROWS, UNTRIED, VIDEO_ROWS, page, table  # noqa: E402
from tests.formats.video_plans import OUTPUTS as VIDEO_OUTPUTS  # noqa: E402
from tests.support.paths import ROOT  # noqa: E402

PAGE = ROOT / "docs" / "formats.md"


def rows_of(text: str) -> list[list[str]]:
    """The cells of all rows of the tables of a page, without the lines that divide them."""
    lines = [line for line in text.splitlines() if line.startswith("|") and "---" not in line]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_the_tables_that_the_command_makes():
    written = rows_of(PAGE.read_text(encoding="utf-8"))
    made = rows_of(page([], [], seed=0))
    assert [row[0] for row in written] == [row[0] for row in made]
    assert [row for row in written if not row[0]] == [row for row in made if not row[0]]


def test_the_page_says_nothing_but_fates():
    for _, *cells in rows_of(PAGE.read_text(encoding="utf-8")):
        for cell in cells:
            words = re.split(", ", cell)
            assert set(words) <= {*FATES, UNTRIED} or cell.startswith("`.")


def test_the_page_says_of_nothing_that_it_is_lost():
    lost = [row for row in rows_of(PAGE.read_text(encoding="utf-8")) if LOST in ",".join(row[1:])]
    assert not lost


def test_every_row_of_the_tables_is_one_of_a_kind():
    for rows in (VIDEO_ROWS, IMAGE_ROWS):
        members = [row for each in rows.values() for row in each]
        assert len(members) == len(set(members))


def test_a_table_collects_the_fates_of_its_rows():
    def outcome(output, *fates):
        return Outcome(0, "", output, "", fates, (), ())

    found = [outcome(".mkv", ("a: x", KEPT)), outcome(".mkv", ("a: y", REPORTED), ("c", KEPT))]
    lines = table(found, {"A": ("a: *",), "B": ("b",)}, (".mkv", ".mp4")).splitlines()
    assert lines[2:] == ["| A | kept, reported | – |", "| B | – | – |"]
    assert len(IMAGE_OUTPUTS) >= 5 and len(VIDEO_OUTPUTS) == 5


@pytest.mark.parametrize(
    "line, number, fate",
    [
        ("note: /a/chapters.mkv: stream 2 (audio) was left out", 2, REPORTED),
        ("note: /a/chapters.mkv: streams 1 and 2 (audio) were left out", 2, REPORTED),
        ("note: /a/chapters.mkv: its sound was left out", 2, REPORTED),
        ("note: /a/chapters.mkv: stream 1 (audio) was left out", 2, LOST),
        ("note: /a/audio.mkv: its chapters were left out", 2, LOST),
        ("", 2, LOST),
    ],
)
def test_a_line_accounts_for_what_it_names(line, number, fate):
    account = Account(Lines(line))
    assert account.kept_or_named("sound", False, "audio", number=number) == (fate == REPORTED)
    assert account.fates == [("sound", fate)] and bool(account.faults) == (fate == LOST)
