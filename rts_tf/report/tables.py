"""Renders the tables of a run as text and as HTML: Table 1, Table 2, the artifacts, the training.

The rows are dicts with the keys of ``summary.json``. Everything that goes into HTML is escaped
here. :mod:`rts_tf.report.columns` has the columns.
"""

from collections.abc import Sequence

from rts_tf.report.columns import ARTIFACTS, TABLE_1, TABLE_2, Column
from rts_tf.report.templates import text
from rts_tf.report.text_table import text_table

# The rows of Table 2 above those of the stages: their keys in the summary, and their names
_ORIGINALS = {"lr_jpeg": "LR, JPEG", "lr_half": "LR, half size", "hr_0": "HR0"}


def table1(summary: dict, wide: bool = False) -> str:
    """Table 1 of the run as plain text (:mod:`rts_tf.report.text_table`).

    It has a line per stage, the ratio of the paper beside that of the run, and a mark at the
    selected stage.
    """
    return text_table(TABLE_1, summary["stages"], selected=summary["selected_stage"], wide=wide)


def table2(summary: dict, wide: bool = False) -> str:
    """Table 2 of the run and the table of artifacts as plain text."""
    rows, selected = rows_of_table2(summary), summary["selected_stage"]
    tables = (TABLE_2, ARTIFACTS)
    return "\n\n".join(text_table(each, rows, selected=selected, wide=wide) for each in tables)


def rows_of_table2(summary: dict) -> list[dict]:
    """The metrics of LR, HR_0 and every HR_n, each with its ``name``."""
    originals = summary["originals"]
    rows = [{"name": name, **originals[key]} for key, name in _ORIGINALS.items()]
    for row in rows:
        row["mos_gain"] = row["mos_raw"] - originals["hr_0"]["mos_raw"]
    return rows + [{"name": f"HR{stage['stage']}", **stage} for stage in summary["stages"]]


def table(columns: Sequence[Column], rows: Sequence[dict], selected: int) -> str:
    """An HTML table with a line per row. The row of the selected stage is marked."""
    headings = "".join(f'<th scope="col">{text(column.heading)}</th>' for column in columns)
    lines = []
    for row in rows:
        first, *others = (text(column.cell(row)) for column in columns)
        is_selected = row.get("stage") == selected
        note = ' <span class="note">selected</span>' if is_selected else ""
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        row_class = class_of(row.get("stage"), selected)
        lines.append(f'<tr{row_class}><th scope="row">{first}{note}</th>{cells}</tr>')
    return html_table(headings, lines)


def html_table(headings: str, rows: Sequence[str]) -> str:
    """An HTML table of headings and rows that are HTML already."""
    body = "\n".join(rows)
    return f"<table><thead><tr>{headings}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"


def class_of(stage: int | None, selected: int) -> str:
    """The attribute that marks an element of the selected stage; "" for other stages."""
    return ' class="selected"' if stage == selected else ""


def meanings(columns: Sequence[Column]) -> str:
    """The meanings of the columns as the items of an HTML list."""
    return "\n".join(
        f"<dt>{text(column.heading)}</dt><dd>{text(column.meaning)}</dd>" for column in columns
    )
