"""How many frames per second an NPU can do, computed from the network alone.

    python -m benchmarks.npu_budget           # prints the table
    python -m benchmarks.npu_budget --write   # puts it into export/settop/NPU.md

The figures are those of the int8 files. The MACs are all that a file asks for, zeros among the
weights included.
"""

import argparse
import pathlib

import keras
import tensorflow as tf

from rts_tf import networks
from rts_tf.export import SCALE
from rts_tf.export.body import body_of
from rts_tf.export.traced import kernels_of, traced_head
from rts_tf.storage import write_text

PAGE = pathlib.Path(__file__).parents[1] / "export" / "settop" / "NPU.md"
BEGIN, END = "<!-- the table of benchmarks.npu_budget -->\n", "<!-- end of the table -->\n"
NETWORKS = ("residual1", "residual3", "residual6")
# The head, and width and height of its input.
FRAMES = (("enhance", 1920, 1080), ("enhance", 2048, 1080), ("upscale", 960, 540))
TOPS = (1, 2, 4, 8)  # 10^12 operations per second; one MAC is two operations
UTILISATION = 0.5  # the share of these that is reached


def work(network: keras.Model, head: str, height: int, width: int) -> tuple[int, int]:
    """Return the work of the int8 file for one frame.

    Args:
        network: the network.
        head: "enhance" or "upscale".
        height: of the input, in pixels.
        width: likewise.

    Returns:
        The MACs by weights, and the bytes that the layers read and write, one layer at a time.
    """
    body = body_of(network)
    kernels = kernels_of(body, segmented=True)
    graph = tf.function(
        lambda image: traced_head(body, head, image, kernels, segmented=True, blocked=True),
        [tf.TensorSpec([1, height, width, 3], tf.float32)],
    ).get_concrete_function()
    macs = traffic = 0
    for operation in graph.graph.get_operations():
        shapes = [tensor.shape for tensor in (*operation.inputs, *operation.outputs)]
        if operation.type == "Conv2D":
            source, kernel, made = shapes
            macs += made[:3].num_elements() * kernel.num_elements()
            traffic += source.num_elements() + made.num_elements()
        elif operation.type == "AddV2" and shapes[0] == shapes[1]:  # not a bias
            traffic += sum(shape.num_elements() for shape in shapes)
    return macs, traffic


def table() -> str:
    """Return the table in Markdown."""
    speeds = " | ".join(f"{tops} TOPS" for tops in TOPS)
    lines = [
        f"| network | head | frame | GMACs | MB moved | {speeds} |",
        "|---" * (5 + len(TOPS)) + "|",
    ]
    for name in NETWORKS:
        network = networks.build(name)
        for head, width, height in FRAMES:
            macs, traffic = work(network, head, height, width)
            frame = f"{width}x{height}"
            if SCALE[head] > 1:
                frame += f" -> {SCALE[head] * width}x{SCALE[head] * height}"
            seconds = [2 * macs / (tops * 1e12 * UTILISATION) for tops in TOPS]
            cells = [name, head, frame, f"{macs / 1e9:.1f}", f"{traffic / 1e6:.0f}"]
            cells += [f"{1000 * s:.0f} ms, {1 / s:.1f}/s" for s in seconds]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """Return the text of ``page`` with the table as it is now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into NPU.md, instead of printing it")
    if parser.parse_args().write:
        write_text(PAGE, written(PAGE.read_text(encoding="utf-8")))
    else:
        print(table(), end="")


if __name__ == "__main__":
    main()
