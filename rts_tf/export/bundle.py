"""Writes the folder for a device: exported TFLite files, their card and checksums, the runner.

The runner is the package ``rts_tf.settop`` as it is installed. It is copied, never imported here.
"""

import importlib.resources
import pathlib
import shutil

from rts_tf.errors import ConfigError, RtsError
from rts_tf.export import card
from rts_tf.export.spec import ExportSpec
from rts_tf.storage import publish, read_json, sha256_of_file

RUNNER = "settop"
SUMS = "SHA256SUMS"
# What the runner cannot run: rts_tf.enhance extends the border of its frames itself.
NOT_FOR_THE_RUNNER = ("int8_any",)


def check_bundle(folder: pathlib.Path, spec: ExportSpec) -> None:
    """Refuse, before anything is exported, what :func:`write_bundle` cannot do.

    Args:
        folder: where the bundle is to be.
        spec: of the export.

    Raises:
        ConfigError: if ``folder`` is there and not empty, or no TFLite file is exported.
    """
    if "tflite" not in spec.formats:
        raise ConfigError(f"`bundle`={folder}: holds TFLite files; add tflite to `formats`.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"`bundle`={folder}: is there already; remove it, or name another.")
    if not folder.absolute().parent.is_dir():
        raise ConfigError(f"`bundle`={folder}: there is no directory to make it in.")


def write_bundle(exported: pathlib.Path, spec: ExportSpec, folder: pathlib.Path) -> None:
    """Write the folder for a device. It is whole or not there.

    Args:
        exported: the directory of an export.
        spec: of that export. TFLite files of other heads and precisions stay behind.
        folder: is made, or an empty directory that is replaced.

    Raises:
        RtsError: if there is no such file, or the folder cannot be written.
    """
    contents = read_json(exported / "export.json") or {"files": []}
    entries = [entry for entry in contents["files"] if _belongs(entry, spec)]
    if not entries:
        raise RtsError(f"{exported}: has no TFLite file that the runner takes.")
    partial = folder.absolute().with_name(f".{folder.absolute().name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "tflite").mkdir(parents=True)
        for entry in entries:
            shutil.copyfile(exported / entry["file"], partial / entry["file"])
        card.write(partial, contents | {"files": entries})
        _copy_runner(partial)
        _write_sums(partial)
        publish(partial, folder)
    except OSError as error:
        reason = error.strerror or error
        raise RtsError(f"`bundle`={folder}: cannot be written ({reason}).") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _belongs(entry: dict, spec: ExportSpec) -> bool:
    """Whether a file of the card is one of ``spec`` that the runner runs."""
    kind = entry["kind"]
    asked = kind in spec.precisions or kind == "int8_strided"
    return (
        entry["file"].startswith("tflite/")
        and kind not in NOT_FOR_THE_RUNNER
        and entry["signature"] in spec.heads
        and asked
    )


def _copy_runner(folder: pathlib.Path) -> None:
    """Copy the runner, with its README beside it."""
    (folder / RUNNER).mkdir()
    for source in (importlib.resources.files("rts_tf") / RUNNER).iterdir():
        if source.name == "README.md":
            (folder / source.name).write_bytes(source.read_bytes())
        elif source.name.endswith(".py"):
            (folder / RUNNER / source.name).write_bytes(source.read_bytes())


def _write_sums(folder: pathlib.Path) -> None:
    """Write the checksums of all files, for ``sha256sum -c``."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256_of_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / SUMS).write_text("".join(lines), encoding="ascii", newline="\n")
