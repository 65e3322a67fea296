"""Makes files that mean harm: none of them is kept in the repository."""

import io
import json
import pathlib
import struct
import zipfile
import zlib

import h5py
import numpy as np

from rts_tf.networks import build
from tests.support.image_files import chunk


def keras_file(path: pathlib.Path, change=lambda members: None) -> pathlib.Path:
    """A ``.keras`` file of a valid network whose members ``change`` may change."""
    build("residual1").save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


def with_layer(layer: dict):
    """The change that puts the description of a layer in the place of the last one."""

    def change(members: dict[str, bytes]) -> None:
        config = json.loads(members["config.json"])
        last = config["config"]["layers"][-1]
        named = {"registered_name": None} if "class_name" in layer else {}
        config["config"]["layers"][-1] = last | named | layer
        members["config.json"] = json.dumps(config).encode()

    return change


def with_member(name: str, contents: bytes):
    def change(members: dict[str, bytes]) -> None:
        members[name] = contents

    return change


def weights_with(make) -> bytes:
    """An HDF5 file in which ``make`` puts something."""
    file = io.BytesIO()
    with h5py.File(file, "w") as weights:
        make(weights)
    return file.getvalue()


def png_of(width: int, height: int, rows: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header announces a size, with ``rows`` of black pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def zeros(size: int) -> bytes:
    """Zlib data of ``size`` bytes of zeros."""
    return zlib.compress(bytes(size))


def pickled(path: pathlib.Path, witness: pathlib.Path) -> pathlib.Path:
    """A ``.npz`` that makes the file ``witness`` where pickle is allowed."""

    class Harm:
        def __reduce__(self):
            return pathlib.Path.touch, (witness,)

    np.savez(path, slider=np.array([Harm()], object))
    return path
