"""The table that ``--preview`` prints: how long each network takes, here and for the whole job."""

from collections.abc import Mapping, Sequence

from rts_tf.enhance.amounts import about
from rts_tf.report.columns import Column
from rts_tf.report.preview_page import Section
from rts_tf.report.text_table import text_table


def _chosen(row: Mapping) -> str:
    return f"{row['chosen']} of {row['crops']}" if row["chosen"] else ""


_COLUMNS = (
    Column("network", lambda row: row["name"]),
    Column("for", lambda row: row["purpose"], short="the input it suits"),
    Column("chosen", _chosen, short="for how many of the crops"),
    Column("s/MP", lambda row: f"{row['pace']:.2g}", short="seconds per megapixel of the crops"),
    Column("all", lambda row: row["total"], short="about how long all inputs would take"),
)


def preview_table(sections: Sequence[Section], megapixels: float) -> str:
    """Return the table as text, with a legend (:mod:`rts_tf.report.text_table`).

    Args:
        sections: The crops, all with the same networks; there is at least one.
        megapixels: Of the whole job.
    """
    rows = []
    for of_one in zip(*(section.candidates for section in sections), strict=True):
        pace = sum(candidate.pace for candidate in of_one) / len(of_one)
        rows.append(
            {
                "name": of_one[0].name,
                "purpose": of_one[0].purpose,
                "chosen": sum(candidate.chosen for candidate in of_one),
                "crops": len(of_one),
                "pace": pace,
                "total": about(pace * megapixels),
            }
        )
    return text_table(_COLUMNS, rows)
