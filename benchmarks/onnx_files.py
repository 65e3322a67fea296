"""How large the ONNX files of all weights are, and how near two engines come to the networks.

    python -m benchmarks.onnx_files           # prints the table, in a minute or two
    python -m benchmarks.onnx_files --write   # puts it into docs/onnx.md

A distance is the largest one over images of 97x131, 8x5 and 512x512 pixels and two of 97x131 at
once, in levels of 8 bits. Sides are rounded up to the multiples that a file takes. Each engine runs
in a process of its own.
"""

import argparse
import contextlib
import pathlib
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from skimage import data

from benchmarks.peer_process import PeerProcess
from rts_tf import pretrained
from rts_tf.export import HEADS
from rts_tf.export.heads import head_function
from rts_tf.export.onnx_file import onnx_file
from rts_tf.export.program import program_of
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.networks.luma import is_luma
from rts_tf.storage import write_text

PAGE = pathlib.Path(__file__).parents[1] / "docs" / "onnx.md"
BEGIN, END = "<!-- the table of benchmarks.onnx_files -->\n", "<!-- end of the table -->\n"
ENGINES = ("onnxruntime", "openvino")  # columns of the table, and how they are imported
SIZES = ((1, 97, 131), (1, 8, 5), (1, 512, 512), (2, 97, 131))  # images, height, width


def table(files: Iterable[tuple[str, bytes]], sizes: Iterable[tuple[int, int, int]] = SIZES) -> str:
    """Return the table in Markdown.

    Args:
        files: the names of files, NAME_HEAD.onnx for weights of the package, and their contents.
        sizes: of the images that they are compared on.

    Raises:
        PeerError: if an engine is not installed or fails.
    """
    lines = [
        "| file | KiB | nodes | multiple | receptive radius | MACs | ONNX Runtime | OpenVINO |",
        "|---" * 8 + "|",
    ]
    module = "benchmarks.onnx_engine_peer"
    with contextlib.ExitStack() as processes:
        folder = pathlib.Path(processes.enter_context(tempfile.TemporaryDirectory()))
        engines = [
            processes.enter_context(PeerProcess(module, {"engine": engine})) for engine in ENGINES
        ]
        for name, contents in files:
            model, path = onnx.load_from_string(contents), folder / name
            path.write_bytes(contents)
            about = {entry.key: entry.value for entry in model.metadata_props}
            distances = np.max([_distances(path, about, engines, size) for size in sizes], axis=0)
            cells = [f"`{name}`", f"{len(contents) / 1024:.0f}", str(len(model.graph.node))]
            cells += [about["multiple"], about["receptive_radius"], f"{int(about['macs']):,}"]
            cells += [f"{distance:.5f}" for distance in distances]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _distances(
    path: pathlib.Path,
    about: dict[str, str],
    engines: list[PeerProcess],
    size: tuple[int, int, int],
) -> list[float]:
    """The largest distance of each engine on the file ``path``, in levels."""
    count, height, width = size
    multiple = int(about["multiple"])
    height, width = (-(-side // multiple) * multiple for side in (height, width))
    image = data.astronaut()
    images = np.stack([image[9 * i :][:height, 9 * i :][:, :width] for i in range(count)])
    images = images.astype(np.float32) / np.float32(255)
    weights, head = path.stem.rsplit("_", 1)
    network = pretrained.network(weights)
    if about["colour"] == "luma":
        images = luma_of(images)[..., None]
        enhancer = LumaEnhancer(network)
        exact = np.stack([enhancer.enhance_luma(each[..., 0]) for each in images])[..., None]
    else:
        exact = head_function(network, head)(images).numpy()
    given, made = path.with_name("given.npy"), path.with_name("made.npy")
    np.save(given, images.transpose(0, 3, 1, 2))
    distances = []
    for engine in engines:
        engine.call("run", str(path), str(given), str(made))
        output = np.load(made).transpose(0, 2, 3, 1)
        distances.append(float(255 * np.abs(output - exact).max()))
    return distances


def written(page: str, lines: str) -> str:
    """Return the text of ``page`` with ``lines`` as its table."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + lines + END + rest.split(END)[1]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="into docs/onnx.md, instead of printing it"
    )
    into_page, lines = parser.parse_args().write, table(zoo_files())
    if into_page:
        write_text(PAGE, written(PAGE.read_text(encoding="utf-8"), lines))
    else:
        print(lines, end="")


def zoo_files() -> Iterator[tuple[str, bytes]]:
    """Make the files of all weights: yields NAME_HEAD.onnx and the contents."""
    for name in pretrained.names():
        network = pretrained.network(name)
        for head in HEADS[:1] if is_luma(pretrained.record(name)["network"]) else HEADS:
            yield f"{name}_{head}.onnx", onnx_file(program_of(network, head), {})


if __name__ == "__main__":
    main()
