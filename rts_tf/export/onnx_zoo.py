"""Writes the weights that come with the package as ONNX files, one for each head of a network."""

import pathlib
from collections.abc import Callable, Iterator

from rts_tf import pretrained
from rts_tf.errors import ConfigError
from rts_tf.export import HEADS
from rts_tf.export.onnx_file import missing, onnx_file
from rts_tf.export.program import program_of
from rts_tf.networks.luma import is_luma
from rts_tf.storage import atomic_path

LICENCE = "Apache-2.0"  # of the package and of the weights in it


def zoo_files() -> Iterator[tuple[str, bytes]]:
    """Make the ONNX files of all weights, one after the other.

    Yields:
        The name of a file, NAME_HEAD.onnx, and its contents. Networks for luma have the head
        "enhance" alone.

    Raises:
        ConfigError: The package ``onnx`` is not installed.
    """
    if absent := missing():
        raise ConfigError(f"`formats`=onnx: {absent}.")
    for name in pretrained.names():
        network = pretrained.network(name)
        about = {"source": f"the weights {name} of rts_tf", "licence": LICENCE}
        for head in HEADS[:1] if is_luma(pretrained.record(name)["network"]) else HEADS:
            yield f"{name}_{head}.onnx", onnx_file(program_of(network, head), about)


def write_zoo(
    directory: pathlib.Path, written: Callable[[pathlib.Path], None] = lambda path: None
) -> list[pathlib.Path]:
    """Write the ONNX files of all weights.

    Args:
        directory: It is made if it is not there. A file that has one of their names is replaced.
        written: Called with each file, once it is whole.

    Returns:
        The files.

    Raises:
        ConfigError: The package ``onnx`` is not installed; nothing is written then.
    """
    paths = []
    for name, contents in zoo_files():
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / name
        with atomic_path(path) as partial:
            partial.write_bytes(contents)
        written(path)
        paths.append(path)
    return paths
