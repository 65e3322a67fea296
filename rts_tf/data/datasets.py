"""Finds the images of a run: the sample images inside scikit-image, a folder, or DIV2K."""

import dataclasses
import io
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from rts_tf.errors import ConfigError, ImageError, first_line
from rts_tf.images.formats import IMAGE_SUFFIXES, NAMES
from rts_tf.images.image_file import is_image_file
from rts_tf.images.listing import listing, passed_over
from rts_tf.images.rgb import read_image
from rts_tf.settings import Settings

# They are part of the scikit-image wheel, so that a fresh machine needs no download.
SAMPLE_TRAIN = (
    "coffee",
    "rocket",
    "motorcycle",
    "hubble_deep_field",
    "camera",
    "brick",
    "grass",
    "gravel",
    "coins",
)
SAMPLE_VALIDATION = ("astronaut", "chelsea")
MOST_HELD_OUT = 24  # images


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """A set of images.

    Attributes:
        names: The names of the images, in order.
        read: Returns the image of a name, uint8 [H, W, 3]. Raises ImageError if it cannot be used.
        origin: The argument that the images come from, for messages, e.g. "`data`=photos".
        passed_over: The line about other files that lie there, or empty.
    """

    names: tuple[str, ...]
    read: Callable[[str], np.ndarray]
    origin: str
    passed_over: str = ""


def training_and_validation(config: Settings) -> tuple[ImageSource, ImageSource]:
    """The training images and the validation images that ``config`` names.

    If ``config`` names a folder and no validation images, a tenth of the folder is held out.

    Raises:
        ConfigError: A folder is missing or holds too few images, or DIV2K cannot be prepared.
    """
    if config.data == "sample":
        training = sample(SAMPLE_TRAIN)
    elif config.data == "div2k":
        training = div2k("train", config.data_dir)
    else:
        training = folder(config.data, "data")
    if config.validation:
        return training, folder(config.validation, "validation")
    if config.data == "sample":
        return training, sample(SAMPLE_VALIDATION)
    if config.data == "div2k":
        return training, div2k("validation", config.data_dir)
    return _held_out(training)


def _held_out(images: ImageSource) -> tuple[ImageSource, ImageSource]:
    """Divide ``images`` into those for training and those for validation.

    Validation gets a tenth, spread evenly, but at least one image and at most 24.
    """
    total = len(images.names)
    if total < 2:
        raise ConfigError(
            f"{images.origin}: holds one image; add more, or name others with `validation`."
        )
    count = min(MOST_HELD_OUT, max(1, total // 10))
    held = {round((i + 0.5) * total / count - 0.5) for i in range(count)}
    training = tuple(name for i, name in enumerate(images.names) if i not in held)
    validation = tuple(name for i, name in enumerate(images.names) if i in held)
    return (
        dataclasses.replace(images, names=training),
        dataclasses.replace(images, names=validation, passed_over=""),
    )


def sample(names: tuple[str, ...]) -> ImageSource:
    """Sample images, which are part of the scikit-image wheel."""

    def read(name: str) -> np.ndarray:
        from skimage import data

        image = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
        rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        return np.ascontiguousarray(rgb)

    return ImageSource(names, read, "`data`=sample")


def folder(path: str | os.PathLike, argument: str = "data") -> ImageSource:
    """Every image below ``path``, in the order of their relative names.

    Images are recognized by their contents, see :func:`rts_tf.images.listing.listing`. Hidden files
    and folders are ignored. A link that leads nowhere is not, if it has the name of an image, so
    that reading it reports it.

    Args:
        argument: The name of the argument that named ``path``, for messages; "" if there is none.

    Raises:
        ConfigError: The folder is missing, or holds no images.
    """
    root, origin = pathlib.Path(path), f"`{argument}`={path}" if argument else str(path)
    if not root.is_dir():
        raise ConfigError(f"{origin}: {'is not a folder' if root.exists() else 'no such folder'}.")
    names, others = listing(root)
    line = passed_over(root / name for name in others)
    if not names:
        raise ConfigError(f"{origin}: holds no images ({NAMES}){'; ' if line else ''}{line}.")

    return ImageSource(names, partial(read_in, root), origin, line and f"{path}: {line}")


def read_in(root: pathlib.Path, name: str) -> np.ndarray:
    """The image of a name below a folder, uint8 [H, W, 3]. Raises ImageError if it is of no use."""
    if not _is_utf8(name):  # neither a TFRecord nor a report can hold such a name
        raise ImageError(f"{root / name}: its name is not UTF-8; rename it")
    return read_image(root / name)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def div2k(split: str, data_dir: str) -> ImageSource:
    """The HR images of DIV2K, through tensorflow-datasets (``div2k/bicubic_x2``).

    If they are not prepared below ``data_dir``, tensorflow-datasets downloads and prepares them.

    Args:
        split: "train" or "validation".
        data_dir: Where tensorflow-datasets keeps data; "" is its default.

    Raises:
        ConfigError: DIV2K cannot be prepared. The message says what it needs.
    """
    try:
        import tensorflow_datasets as tfds

        builder = tfds.builder("div2k/bicubic_x2", data_dir=data_dir or None)
        _prepare(builder)
        # One shard after the other, so that the images always come in the same order.
        in_order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        dataset = builder.as_dataset(
            split=split,
            decoders={key: tfds.decode.SkipDecoding() for key in ("lr", "hr")},
            read_config=in_order,
            shuffle_files=False,
        )
        count = builder.info.splits[split].num_examples
    except Exception as error:  # of the package, the network, the disk or the archive
        place = f" in {data_dir}" if data_dir else ""
        raise ConfigError(
            f"`data`=div2k: tensorflow-datasets could not prepare DIV2K{place}"
            f" ({first_line(error)}). It needs about 8 GB and, once, the network. Without one,"
            " prepare it on another machine with 'tfds build div2k/bicubic_x2', copy the folder"
            " 'div2k' and name its parent with `data_dir`; or use the extracted images:"
            " `data`=DIV2K_train_HR `validation`=DIV2K_valid_HR."
        ) from None
    numbers = {f"{split}_{i + 1:04d}": i for i in range(count)}
    examples = _InOrder(dataset.as_numpy_iterator)

    def read(name: str) -> np.ndarray:
        try:
            example = examples[numbers[name]]
        except Exception as error:  # TensorFlow's: a shard is missing or damaged
            raise ConfigError(
                f"`data`=div2k: {builder.data_dir}: cannot be read ({first_line(error)});"
                " delete it and prepare it again"
            ) from None
        return read_image(io.BytesIO(example["hr"]), name)

    return ImageSource(tuple(numbers), read, "`data`=div2k")


def _prepare(builder: Any) -> None:
    """Download and prepare a data set, if that was not done yet.

    Without a network the download would try for minutes, so one request comes first.
    """
    directory = pathlib.Path(builder.data_dir)
    if not directory.exists() and not (directory.parents[2] / "downloads").exists():
        import requests

        requests.head(builder.info.homepage, timeout=30)
    builder.download_and_prepare()


class _InOrder:
    """Gives item ``i`` of an iterator. This is cheap if the items are asked for in order."""

    def __init__(self, start: Callable[[], Iterator]):
        """``start`` returns the iterator at its beginning."""
        self._start = start
        self._iterator: Iterator = iter(())
        self._next: int | None = None  # index of the next item

    def __getitem__(self, index: int) -> Any:
        if self._next is None or index < self._next:
            self._iterator, self._next = self._start(), 0
        skipped = index - self._next
        self._next = index + 1
        return next(itertools.islice(self._iterator, skipped, None))


def counterpart(folder: str | os.PathLike, name: str) -> str:
    """The path of the image in ``folder`` with this name, whatever its suffix.

    ``rts_tf.enhance`` may have put a suffix behind the name: ``logo.gif.png``. If there is no such
    image, the path leads nowhere, so that reading it reports it.
    """
    path = pathlib.Path(folder, name)
    if path.exists():
        return os.fspath(path)
    for other in sorted(path.parent.glob("*")):
        if other.stem == path.stem and other.suffix.lower() in IMAGE_SUFFIXES:
            return os.fspath(other)
    longer = path.with_suffix("")
    return os.fspath(longer if is_image_file(longer) else path)
