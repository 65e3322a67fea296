"""The table of exported files that the command prints; the export card has all of their figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from rts_tf.report.columns import Column, optional
from rts_tf.report.text_table import text_table


def files_table(entries: Sequence[Mapping[str, Any]], wide: bool = False) -> str:
    """Return the table as text (:mod:`rts_tf.report.text_table`).

    Args:
        entries: The ``files`` of the export card.
        wide: Show the extra columns too.
    """
    return text_table(_COLUMNS, entries, wide=wide)


def _name(entry: Mapping) -> str:
    """The file, and for a SavedModel the signature that was measured."""
    served = entry["kind"] == "saved_model"
    return f"{entry['file']} {entry['signature']}" if served else entry["file"]


def _energy(entry: Mapping) -> str:
    return f"{100 * entry['energy_kept']:.2f}" if "energy_kept" in entry else "–"


_COLUMNS = (
    Column("file", _name),
    Column("kB", lambda entry: f"{entry['bytes'] / 1000:.0f}", short="size of the file"),
    Column("dB", optional("psnr_db"), short="likeness to the network (PSNR)"),
    Column(
        "levels",
        optional("max_lsb", 2),
        short="largest difference from the network, in 8-bit levels",
        extra=True,
    ),
    Column("kept %", _energy, short="share of the enhancement that is kept", key="energy_kept"),
    Column("MOS", optional("mos", 2), short="score by VIQET of its output", extra=True, key="mos"),
    Column(
        "network",
        optional("network_mos", 2),
        short="that of the network's output",
        extra=True,
        key="network_mos",
    ),
    Column("ms", optional("milliseconds"), short="time for a frame on this machine"),
    Column("MB", optional("peak_memory_mb", 0), short="peak memory", extra=True),
    Column(
        "GMAC",
        lambda entry: f"{entry['macs'] / 1e9:.1f}",
        short="multiplications for a frame, in thousand millions",
        extra=True,
    ),
    Column(
        "threads",
        lambda entry: str(entry.get("threads", "–")),
        short="that it ran with",
        extra=True,
    ),
)
