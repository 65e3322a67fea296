"""Folders of image files that go through a function as ``rts_tf.enhance`` lets them through.

Nothing here needs TensorFlow, so that a peer can read and write in the same way.
"""

import io
import pathlib
from collections.abc import Callable

import numpy as np
from PIL import Image
from rich.console import Console

from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.images import Network, enhance_all, sizes_of
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.progress import IMAGES

FILES = {"jpg": {"quality": 92}, "png": {}}  # suffixes, and how Pillow writes them


def write_images(root: pathlib.Path, images: list[np.ndarray]) -> None:
    """Write all images in a folder for each suffix."""
    for suffix, options in FILES.items():
        (root / suffix).mkdir()
        for i, image in enumerate(images):
            Image.fromarray(image).save(root / suffix / f"{i:02d}.{suffix}", **options)


def folder_through(
    root: pathlib.Path, suffix: str, network: Network, made: str = "out"
) -> Callable[[], None]:
    """Return a function that takes the folder of that suffix through ``network``.

    Args:
        root: holds a folder for each suffix.
        suffix: of the files.
        network: what happens to the pixels.
        made: the folder in ``root`` that the results are written to.
    """
    names = sorted(path.name for path in (root / suffix).iterdir())
    jobs = [Job(str(root / suffix / name), root / made / name, name) for name in names]

    def through() -> None:
        sizes = sizes_of(jobs)
        progress = RunProgress({IMAGES: sum(sizes) / 1e6}, Console(file=io.StringIO()))
        errors, _ = enhance_all(jobs, lambda image: network, progress, sizes)
        if errors:
            raise RuntimeError(errors[0])

    return through
