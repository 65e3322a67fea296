"""Enhancing images with a network for luma: speed over that of reading and writing them alone.

    python -m benchmarks.fast_images                    # about a minute on two cores
    python -m benchmarks.fast_images --data=FOLDER      # own images; best of 1-4 megapixels

A folder of JPEG files is read and written as the command does it, with the network between the two
and without. Both are interleaved in one process, and the shortest time of each counts.
"""

import pathlib
import tempfile
from collections.abc import Callable

import numpy as np
from absl import app, flags

import rts_tf
from benchmarks.enhance import HEIGHT, WIDTH, megapixels_of
from benchmarks.folders import folder_through, write_images
from benchmarks.inputs import repeated_images
from benchmarks.table import Line, show
from benchmarks.timing import seconds_of
from rts_tf.metrics.resources import cores
from rts_tf.networks.precision import instruction_set

FLAGS = flags.FLAGS  # data is that of benchmarks.enhance
flags.DEFINE_string("luma_model", "fast", "A network for luma.")
flags.DEFINE_integer("images", 16, "How many images.")
flags.DEFINE_integer("turns", 5, "How often both are measured.")


def main(_: list[str]) -> None:
    """Measure and print the table."""
    model = rts_tf.load(FLAGS.luma_model)
    source = repeated_images(FLAGS.data, HEIGHT, WIDTH)
    images = [source.read(name) for name in source.names[: FLAGS.images]]

    def network(pixels: np.ndarray, on_pixels: Callable[[int], None]) -> np.ndarray:
        return model.enhance(pixels, on_pixels=on_pixels)

    def nothing(pixels: np.ndarray, on_pixels: Callable[[int], None]) -> np.ndarray:
        on_pixels(pixels[..., 0].size)
        return pixels

    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        write_images(root, images)
        ways = {"network": network, "nothing": nothing}
        parts = {way: folder_through(root, "jpg", function) for way, function in ways.items()}
        least = dict.fromkeys(parts, np.inf)
        for turn in range(FLAGS.turns + 1):
            for way, through in parts.items():
                seconds = seconds_of(through).clock
                if turn:  # the first time warms up
                    least[way] = min(least[way], seconds)
    speeds = {way: megapixels_of(images) / seconds for way, seconds in least.items()}
    figures = f"{speeds['network']:.1f} of {speeds['nothing']:.1f} megapixels/s"
    ratio = speeds["network"] / speeds["nothing"]
    title = f"A folder of {len(images)} JPEG files, {cores()} cores, {instruction_set()}"
    show(title, [Line("with the network / read and write alone", ratio, ">=", 0.5, figures)])


if __name__ == "__main__":
    app.run(main)
