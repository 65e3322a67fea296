"""The readers that get damaged files, and what each may raise."""

import contextlib
import itertools
import pathlib
import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from rts_tf.errors import RtsError
from rts_tf.settop.errors import SettopError
from tests.fuzz import mutation, run_seeds, seeds

REFUSALS = (RtsError, SettopError)
MOST_FRAMES = 60  # of a video
MOST_PIXELS = 20_000_000  # so that what a reader takes beyond the limits shows in its memory
Mutate = Callable[[bytes, tuple[bytes, ...], random.Random], bytes]


class Target(NamedTuple):
    """A reader.

    Attributes:
        seeds: Valid files by suffix, or by their name in the directory that the reader gets.
        read: Reads the file at a path.
        mutate: Damages a file.
        loads: Whether the reader loads TensorFlow, so that its memory cannot be limited.
    """

    seeds: Callable[[], Mapping[str, tuple[bytes, ...]]]
    read: Callable[[pathlib.Path], object]
    mutate: Mutate = mutation.mutated
    loads: bool = False


def _image(path: pathlib.Path) -> None:
    from rts_tf.images.image_file import pixel_count, read_image_file
    from rts_tf.images.listing import is_image
    from rts_tf.settop.images import read_image

    is_image(path), pixel_count(path)
    with contextlib.suppress(*REFUSALS):
        read_image(str(path))
    read_image_file(path, MOST_PIXELS)


def _video(path: pathlib.Path) -> None:
    from rts_tf import limits
    from rts_tf.video.reader import VideoReader
    from rts_tf.video.stills import stills

    limits.FRAME = limits.Limit(MOST_PIXELS, "20 million pixels")

    with contextlib.suppress(*REFUSALS):
        stills(str(path), 3)
    with VideoReader(path) as reader:
        reader.survey()
        for _ in itertools.islice(reader.frames(), MOST_FRAMES):
            pass


def _stream(path: pathlib.Path) -> None:
    from rts_tf.settop import y4m as settop
    from rts_tf.video import y4m

    with contextlib.suppress(*REFUSALS), open(path, "rb", buffering=0) as file:
        settop.parsed(y4m.read_line(file), str(path))
    with open(path, "rb", buffering=0) as file:
        found = y4m.y4m_format(y4m.read_line(file), str(path))
        for _ in y4m.read_frames(file, found, str(path)):
            pass


def _tflite(path: pathlib.Path) -> None:
    from rts_tf.luma.engines import LiteRTEngine
    from rts_tf.settop.litert import Network

    with contextlib.suppress(*REFUSALS):
        network = Network(path, 1)
        shape = (32, 32) if network.size == (0, 0) else network.size
        if max(shape) <= 512:
            network.run(np.zeros(shape if network.luma else (*shape, 3), np.uint8))
    LiteRTEngine(path.read_bytes()).check(32)


def _json(path: pathlib.Path) -> None:
    from rts_tf.storage import read_json

    read_json(path)


TARGETS: dict[str, Target] = {
    "images": Target(seeds.images, _image, mutation.in_png),
    "videos": Target(seeds.videos, _video),
    "streams": Target(seeds.streams, _stream),
    "tflite": Target(seeds.tflite, _tflite, loads=True),
    "json": Target(run_seeds.documents, _json, mutation.in_json),
    "runs": Target(run_seeds.runs, run_seeds.read_run, run_seeds.in_file, loads=True),
    "shards": Target(run_seeds.shards, run_seeds.read_shard, run_seeds.in_shard, loads=True),
    "networks": Target(run_seeds.networks, run_seeds.read_network, mutation.in_zip, loads=True),
    "weights": Target(run_seeds.weights, run_seeds.read_weights, loads=True),
    "crops": Target(run_seeds.crops, run_seeds.read_crops, mutation.in_zip, loads=True),
    "checkpoints": Target(
        run_seeds.checkpoints, run_seeds.read_checkpoint, run_seeds.in_file, loads=True
    ),
}


def file_of(suffix: str, contents: bytes, folder: pathlib.Path) -> pathlib.Path:
    """Write a file for a reader, and return its path."""
    path = folder / f"input{suffix}"
    path.write_bytes(contents)
    return path
