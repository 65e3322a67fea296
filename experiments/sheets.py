"""Sheets of crops at four times their size, to look at: clean, as JPEG, and out of a video.

Each row shows a detail of an image that comes with scikit-image: text, skin, hair, fur, grass, a
cup, a rocket before the sky, and a drawing. The columns are the original, the input, an unsharp
mask, the network that ``python -m rts_tf.enhance`` chooses for such a file, and another network::

    python -m experiments.sheets --output=docs
    python -m experiments.sheets --output=docs --peer=realesrgan

It needs the extras ``video`` and ``peers``, and writes ``sheet_clean.jpg``, ``sheet_jpeg_50.jpg``
and ``sheet_crf_28.jpg`` in half a minute. ``before_after.jpg``, which README shows, has a larger
detail and a column for each of them: the input, the unsharp mask and the network, from above.
"""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import skimage
from absl import flags
from matplotlib.figure import Figure
from PIL import Image

from experiments import baselines
from experiments.coded import way_of
from experiments.crop_grid import crop_grid
from experiments.results import DPI
from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.startup import load_tensorflow
from rts_tf.data import codecs
from rts_tf.data.degradation import moving
from rts_tf.enhance import choice
from rts_tf.errors import ConfigError
from rts_tf.storage import atomic_path

FLAGS = flags.FlagValues()
flags.DEFINE_string("output", "docs", "Folder for the sheets.", flag_values=FLAGS)
flags.DEFINE_string("peer", "waifu2x", "The other network.", flag_values=FLAGS)

SIZE, ENLARGED = (48, 72), 4  # of a crop in pixels, and how much larger each is drawn
README_SIZE, README_ENLARGED = (96, 120), 3
UNSHARP = "unsharp:0.8"  # on clean images it looks about as sharp as the network
FRAMES, CRF = 5, 28
JPEG = {"quality": 70, "optimize": True}


class Detail(NamedTuple):
    """A crop of an image of scikit-image: its file, and its upper left corner."""

    file: str
    top: int
    left: int


DETAILS = (
    Detail("page.png", 62, 10),  # text
    Detail("astronaut.png", 92, 190),  # skin
    Detail("astronaut.png", 20, 150),  # hair
    Detail("chelsea.png", 100, 190),  # fur
    Detail("grass.png", 200, 200),
    Detail("coffee.png", 120, 300),  # a cup
    Detail("rocket.jpg", 150, 300),  # the sky
    Detail("logo.png", 150, 150),  # a drawing
)
README_DETAIL = Detail("astronaut.png", 60, 150)


class Sheet(NamedTuple):
    """One state of the images.

    Attributes:
        title: What it is.
        file: The name of the sheet.
        state: Maps an image, uint8 [H, W, 3] with even sides, to the same shape.
        network: The weights that are chosen for such a file.
    """

    title: str
    file: str
    state: Callable[[np.ndarray], np.ndarray]
    network: str


SHEETS = (
    Sheet("clean", "sheet_clean.jpg", lambda image: image, choice.CLEAN),
    Sheet("JPEG 50", "sheet_jpeg_50.jpg", lambda image: codecs.jpeg(image, 50), choice.JPEG),
    Sheet("H.264 CRF 28", "sheet_crf_28.jpg", lambda image: last_frame(image), choice.VIDEO),
)


def last_frame(image: np.ndarray) -> np.ndarray:
    """The last frame of a video in H.264, CRF 28, in which the image moves."""
    return codecs.video(moving(image, FRAMES, np.random.default_rng(1)), "h264", CRF)[-1]


def read(file: str) -> np.ndarray:
    """An image of scikit-image as uint8 [H, W, 3], with its sides made even.

    What is transparent in it becomes white.
    """
    image = Image.open(pathlib.Path(skimage.data.__file__).parent / file).convert("RGBA")
    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    pixels = np.asarray(image.convert("RGB"))
    return pixels[: len(pixels) // 2 * 2, : pixels.shape[1] // 2 * 2]


def row(detail: Detail, size: tuple[int, int], sheet: Sheet, *ways: str) -> list[np.ndarray]:
    """Crops of the original, of the input, and of what each way makes of it: uint8 [*size, 3].

    Args:
        ways: Names of :func:`experiments.coded.way_of`.
    """
    original = read(detail.file)
    source = sheet.state(original)
    images = [original, source, *(way_of(way)(source) for way in ways)]
    rows = slice(detail.top, detail.top + size[0])
    columns = slice(detail.left, detail.left + size[1])
    return [image[rows, columns] for image in images]


def main(arguments: list[str]) -> int:
    """The command. Returns the exit code."""
    return exit_code_of(
        lambda: _experiment(arguments[1:]),
        stopped="stopped; the sheets that were named are written.",
        command_flags=FLAGS,
    )


def _experiment(arguments: list[str]) -> None:
    if arguments:
        raise ConfigError(f"unexpected argument {arguments[0]!r}; write --output=FOLDER.")
    if FLAGS.peer not in baselines.PEERS:
        raise ConfigError(f"--peer={FLAGS.peer}: choose one of {', '.join(baselines.PEERS)}.")
    pathlib.Path(FLAGS.output).mkdir(parents=True, exist_ok=True)
    load_tensorflow()
    for sheet in SHEETS:
        titles = ["original", "input", "unsharp mask", sheet.network, FLAGS.peer]
        ways = UNSHARP, sheet.network, FLAGS.peer
        rows = [row(detail, SIZE, sheet, *ways) for detail in DETAILS]
        _write(sheet.file, crop_grid(rows, titles, ENLARGED))
    columns = [row(README_DETAIL, README_SIZE, s, UNSHARP, s.network)[1:] for s in SHEETS]
    titles = [sheet.title for sheet in SHEETS]
    _write("before_after.jpg", crop_grid(list(zip(*columns)), titles, README_ENLARGED))


def _write(file: str, drawing: Figure) -> None:
    path = pathlib.Path(FLAGS.output, file)
    with atomic_path(path) as temporary:
        drawing.savefig(temporary, format="jpeg", dpi=DPI, pil_kwargs=JPEG)
    print(path)


if __name__ == "__main__":
    run_command(main, FLAGS)
