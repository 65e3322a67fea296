"""The tables of a run as plain text."""

import pytest

from rts_tf.report.columns import duration
from rts_tf.report.tables import table1, table2
from tests.support.summaries import selected_by_mos, summary


def test_table1_marks_the_selected_stage():
    heading, *rows = table1(summary(), wide=True).splitlines()
    assert [row.endswith("selected") for row in rows[:4]] == [False, False, True, False]
    assert rows[0].split() == [
        "HR1",
        "0.85",
        "0.95",
        "0.85",
        "0.80",
        "0.50",
        "±",
        "0.10",
        "+0.00",
        "-0.05",
        "0.90",
    ]
    assert len(heading) == len(rows[0]) == len(rows[1])


def test_table1_beyond_the_stages_of_the_paper():
    rows = table1(summary(stages=9)).splitlines()[1:10]
    assert [row.split()[2] for row in rows] == [
        "0.95",
        "1.35",
        "1.47",
        "1.48",
        "1.51",
        "1.55",
        "1.62",
        "1.76",
        "–",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (9.26, "9.3 s"),
        (59.97, "1 min 00 s"),
        (231.0, "3 min 51 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_table2_has_a_line_for_lr_hr0_and_every_stage():
    both = table2(selected_by_mos(), wide=True)
    quality, artifacts = (text.splitlines() for text in both.split("\n\n"))
    assert quality[8].startswith("images: ") and artifacts[8].startswith("images: ")
    assert quality[3].split()[:3] == ["HR0", "3.000", "0.000"]
    assert quality[6].endswith("<- selected")
    assert artifacts[6].split()[:4] == ["HR3", "0.90", "2.90", "(3.70)"]
