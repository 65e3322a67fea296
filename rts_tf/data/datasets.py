"""Where HR_0 comes from: the photographs inside scikit-image, a folder, or DIV2K."""

import dataclasses
import io
import itertools
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from rts_tf.config import Config
from rts_tf.errors import ConfigError, ImageError
from rts_tf.images.read import IMAGE_SUFFIXES, read_image

# In the scikit-image wheel itself, so a fresh machine needs no download.
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


@dataclasses.dataclass(frozen=True)
class ImageSource:
    """A set of photographs: their names, in order, and how to read one (uint8 [H, W, 3]; raises ImageError).

    ``origin`` is for messages: the flag they come from, e.g. "--data=photos".
    """

    names: tuple[str, ...]
    read: Callable[[str], np.ndarray]
    origin: str


def training_and_validation(config: Config) -> tuple[ImageSource, ImageSource]:
    """The two sets that ``config`` names.

    Raises:
        ConfigError: a folder that is missing or holds too few photographs, or DIV2K not to be had.
    """
    if config.data == "sample":
        training, validation = sample(SAMPLE_TRAIN), sample(SAMPLE_VALIDATION)
    elif config.data == "div2k":
        training = div2k("train", config.data_dir)
        validation = None if config.validation else div2k("validation", config.data_dir)
    else:
        training, validation = folder(config.data, "data"), None
    if config.validation:
        return training, folder(config.validation, "validation")
    if validation is None:
        training, validation = _held_out(training, config)
    return training, validation


def _held_out(photos: ImageSource, config: Config) -> tuple[ImageSource, ImageSource]:
    """A tenth of the pictures, spread evenly, at least one and at most 24, for validation; the rest for training."""
    if len(photos.names) < 2:
        raise ConfigError(
            f"--data={config.data}: holds one photograph; add more, or name others with --validation."
        )
    count = min(24, max(1, len(photos.names) // 10))
    chosen = {round((i + 0.5) * len(photos.names) / count - 0.5) for i in range(count)}
    pick = lambda held: tuple(n for i, n in enumerate(photos.names) if (i in chosen) == held)  # noqa: E731
    return dataclasses.replace(photos, names=pick(False)), dataclasses.replace(
        photos, names=pick(True)
    )


def sample(names: tuple[str, ...]) -> ImageSource:
    """CalibrationCrops that scikit-image carries in its wheel."""

    def read(name: str) -> np.ndarray:
        from skimage import data

        image = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
        return np.ascontiguousarray(
            np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
        )

    return ImageSource(names, read, "--data=sample")


def folder(path: str | os.PathLike, flag: str = "data") -> ImageSource:
    """Every picture below ``path``, by suffix, in the order of their relative names; hidden files are none.

    A link that leads nowhere counts, so that it is reported as unreadable and not passed over. Raises ConfigError naming
    ``flag``, or the path alone where ``flag`` is empty.
    """
    root, origin = pathlib.Path(path), f"--{flag}={path}" if flag else str(path)
    if not root.is_dir():
        raise ConfigError(f"{origin}: {'is not a folder' if root.exists() else 'no such folder'}.")
    visible = (
        p
        for p in root.rglob("*")
        if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")
    )
    found = (p for p in visible if p.is_file() or not p.exists())
    names = tuple(sorted(p.relative_to(root).as_posix() for p in found))
    if not names:
        raise ConfigError(
            f"{origin}: holds no photographs ({', '.join(s[1:] for s in IMAGE_SUFFIXES)})."
        )

    def read(name: str) -> np.ndarray:
        if not _is_utf8(name):  # neither TFRecord nor a report can hold such a name
            raise ImageError(f"{root / name}: its name is not UTF-8; rename it")
        return read_image(root / name)

    return ImageSource(names, read, origin)


def div2k(split: str, data_dir: str) -> ImageSource:
    """DIV2K through tensorflow-datasets (``div2k/bicubic_x2``, of which only the originals are used).

    Data prepared below ``data_dir`` (default: where tensorflow-datasets keeps its own) are used; else
    tensorflow-datasets downloads and prepares them there. Raises ConfigError saying what it needs where it cannot.
    """
    try:
        import tensorflow_datasets as tfds

        builder = tfds.builder("div2k/bicubic_x2", data_dir=data_dir or None)
        _prepare(builder)
        skip = {key: tfds.decode.SkipDecoding() for key in ("lr", "hr")}
        in_order = tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        )  # one shard after the other
        dataset = builder.as_dataset(
            split=split, decoders=skip, read_config=in_order, shuffle_files=False
        )
        count = builder.info.splits[split].num_examples
    except Exception as error:  # whatever the package, the network, the disk or the archive did: the way out is the same
        raise ConfigError(
            f"--data=div2k: tensorflow-datasets could not prepare DIV2K{f' in {data_dir}' if data_dir else ''}"
            f" ({_first_line(error)}). It needs about 8 GB and, once, the network. Without one, prepare it on another machine"
            " with 'tfds build div2k/bicubic_x2', copy the folder 'div2k' and name its parent with --data_dir; or use the"
            " extracted pictures: --data=DIV2K_train_HR --validation=DIV2K_valid_HR."
        ) from None
    numbers = {f"{split}_{i + 1:04d}": i for i in range(count)}
    reader = _InOrder(lambda: dataset.as_numpy_iterator())

    def read(name: str) -> np.ndarray:
        try:
            example = reader[numbers[name]]
        except (
            Exception
        ) as error:  # TensorFlow's, on a shard of tensorflow-datasets that is missing or damaged
            reason = f"cannot be read ({_first_line(error)}); delete it and prepare it again"
            raise ConfigError(f"--data=div2k: {builder.data_dir}: {reason}") from None
        return read_image(io.BytesIO(example["hr"]), name)

    return ImageSource(tuple(numbers), read, "--data=div2k")


def _prepare(builder) -> None:
    """Download and prepare, where that is not done. Without a network, say so at once: the download tries for minutes."""
    directory = pathlib.Path(builder.data_dir)
    if not directory.exists() and not (directory.parents[2] / "downloads").exists():
        import requests

        requests.head(builder.info.homepage, timeout=30)
    builder.download_and_prepare()


class _InOrder:
    """Item ``i`` of something that can only be read from its beginning; cheap when asked in order."""

    def __init__(self, start: Callable[[], Iterator]):
        self._start, self._iterator, self._next = start, None, 0

    def __getitem__(self, index: int):
        if self._iterator is None or index < self._next:
            self._iterator, self._next = self._start(), 0
        skipped = index - self._next
        self._next = index + 1
        return next(itertools.islice(self._iterator, skipped, None))


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def counterpart(folder: str | os.PathLike, name: str) -> str:
    """The file in ``folder`` that is called ``name``, whatever its suffix; one that is not there if none is."""
    path = pathlib.Path(folder, name)
    same_stem = (
        p
        for p in sorted(path.parent.glob("*"))
        if p.stem == path.stem and p.suffix.lower() in IMAGE_SUFFIXES
    )
    return os.fspath(path if path.exists() else next(same_stem, path))
