"""How many frames a second an NPU can do: ``python -m export.settop.budget --write`` puts the table into NPU.md.

Runs where rts_tf is installed. Figures are those of the int8 files: every multiplication with a weight that they ask for.
"""

import argparse
import pathlib

import keras
import tensorflow as tf

from rts_tf import networks
from rts_tf.export.heads import SCALE, kernels_of, traced_head
from rts_tf.storage import write_text

PAGE = pathlib.Path(__file__).with_name("NPU.md")
BEGIN, END = "<!-- the table of export.settop.budget -->\n", "<!-- end of the table -->\n"
NETWORKS = ("residual1", "residual3", "residual6")
FRAMES = (
    ("enhance", 1920, 1080),
    ("enhance", 2048, 1080),
    ("upscale", 960, 540),
)  # head, and size of what goes in
TOPS = (1, 2, 4, 8)  # 10^12 operations a second, two of them a multiplication and its addition
UTILISATION = 0.5


def work(network: keras.Model, head: str, height: int, width: int) -> tuple[int, int]:
    """Of the int8 file: multiplications with a weight for a frame, and the bytes that its layers read and write one by one."""
    kernels = kernels_of(network, segmented=True)
    graph = tf.function(
        lambda image: traced_head(network, head, image, kernels, segmented=True, blocked=True),
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
    """In Markdown."""
    lines = [
        f"| network | head | frame | GMACs | MB moved | {' | '.join(f'{tops} TOPS' for tops in TOPS)} |",
        "|---" * (5 + len(TOPS)) + "|",
    ]
    for name in NETWORKS:
        network = networks.build(name)
        for head, width, height in FRAMES:
            macs, traffic = work(network, head, height, width)
            made = f" -> {SCALE[head] * width}x{SCALE[head] * height}" if SCALE[head] > 1 else ""
            seconds = [2 * macs / (tops * 1e12 * UTILISATION) for tops in TOPS]
            cells = " | ".join(f"{1000 * s:.0f} ms, {1 / s:.1f}/s" for s in seconds)
            lines.append(
                f"| {name} | {head} | {width}x{height}{made} | {macs / 1e9:.1f} | {traffic / 1e6:.0f} | {cells} |"
            )
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """``page`` with the table of now."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into NPU.md, instead of printing it")
    if parser.parse_args().write:
        write_text(PAGE, written(PAGE.read_text()))
    else:
        print(table(), end="")


if __name__ == "__main__":
    main()
