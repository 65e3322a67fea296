"""Gives the files of an export their final names, and writes the export card that vouches for them.

An export directory is whole after any crash: files and SavedModel versions appear by renames, and
the card goes first and comes last.
"""

import pathlib
from typing import Any

from rts_tf.export import card
from rts_tf.storage import publish, read_json, sha256_of_directory, sha256_of_file


def publish_export(partial: pathlib.Path, output: pathlib.Path, contents: dict[str, Any]) -> None:
    """Publish an export.

    Files that other exports of the same network published are kept in the card if they have not
    changed.

    Args:
        partial: the directory with the new files.
        output: the directory of the export.
        contents: of the card (``card.write``); its "files" are the entries of the new files.
    """
    entries = contents["files"]
    made = {entry["file"] for entry in entries}
    before = published_before(output, contents["weights_sha256"])
    kept = [entry for entry in before if entry["file"] not in made]
    for name in ("export.json", "EXPORT.md"):
        (output / name).unlink(missing_ok=True)
    for entry in entries:
        target = output / entry["file"]
        served = entry["kind"] == "saved_model"
        built = partial / ("saved_model" if served else target.name)
        if built.exists():  # both entries of a SavedModel are one directory
            target.parent.mkdir(parents=True, exist_ok=True)
            publish(built, target)
    card.write(output, contents | {"files": kept + entries})


def published_before(output: pathlib.Path, weights: str) -> list[dict[str, Any]]:
    """Return the entries of the files that were published and are unchanged since then.

    Args:
        output: the directory of the export.
        weights: SHA-256 of the weights of the network; files of another one do not count.
    """
    before = read_json(output / "export.json") or {}
    if before.get("weights_sha256") != weights:
        return []
    return [entry for entry in before.get("files", []) if _is_unchanged(output, entry)]


def next_version(output: pathlib.Path) -> int:
    """Return the version of the next SavedModel: one more than the last."""
    versions = (output / "saved_model" / "rts").glob("*")
    return 1 + max((int(path.name) for path in versions if path.name.isdigit()), default=0)


def sha256(path: pathlib.Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents in a directory."""
    return sha256_of_directory(path) if path.is_dir() else sha256_of_file(path)


def _is_unchanged(output: pathlib.Path, entry: dict[str, Any]) -> bool:
    path = output / entry["file"]
    return path.exists() and sha256(path) == entry["sha256"]
