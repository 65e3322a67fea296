"""Lists the files of a folder: its images, which their contents tell, and all others."""

import collections
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rts_tf.images.formats import FORMATS, KINDS, kind_of_file, kind_of_suffix

_MOST = 8  # kinds of files that are named


class Listing(NamedTuple):
    """The files below a folder. Hidden files and folders are left out.

    Attributes:
        images: The names of the images below the folder, with slashes, in order.
        others: The same of all other files, of links to folders, which are not followed, and of
            folders that cannot be read.
    """

    images: tuple[str, ...]
    others: tuple[str, ...]


def listing(root: str | os.PathLike) -> Listing:
    """List the files below ``root``.

    An image is a file that begins like one, whatever its name is, or whose name says that it is
    one: if it cannot be read, reading it says why. Two kinds of files are no images. One is a TIFF
    of another suffix, since raw files of cameras and of microscopes are TIFFs that hold more than
    an image. The other is a format that needs a package which is not installed.
    """
    root = pathlib.Path(root)
    images: list[str] = []
    others: list[str] = []
    for path in _files(root):
        (images if is_image(path) else others).append(path.relative_to(root).as_posix())
    return Listing(tuple(sorted(images)), tuple(sorted(others)))


def _files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """Every visible file, and every folder that is not searched."""
    closed: list[str] = []
    for folder, folders, names in os.walk(root, onerror=lambda e: closed.append(e.filename)):
        folders[:] = (name for name in folders if not name.startswith("."))
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*links, *names):
            path = pathlib.Path(folder, name)
            # A link that leads nowhere is there, so that reading it says so. A pipe is no file.
            if not name.startswith(".") and (name in links or path.is_file() or path.is_symlink()):
                yield path
    yield from map(pathlib.Path, closed)


def is_image(path: pathlib.Path) -> bool:
    if path.is_dir():
        return False
    said, found = kind_of_suffix(path), kind_of_file(path)
    if found == "TIFF" and path.suffix and not said:
        return False
    return said in FORMATS or found in FORMATS


def passed_over(paths: Iterable[pathlib.Path]) -> str:
    """The line about files that are not used, e.g. "passed over: 3 .psd, 2 .txt".

    Returns:
        Empty if there are none.
    """
    paths = list(paths)
    if not paths:
        return ""
    counts = collections.Counter(map(_group, paths)).most_common()
    named = [f"{count} {group}" for group, count in counts[:_MOST]]
    if rest := sum(count for _, count in counts[_MOST:]):
        named.append(f"{rest} others")
    missing = {kind_of_suffix(path) for path in paths} - {"", *FORMATS}
    formats = " and ".join(sorted(KINDS[kind].name for kind in missing))
    hint = f"; to read {formats}, pip install 'rts_tf[images]'" if missing else ""
    return f"passed over: {', '.join(named)}{hint}"


def _group(path: pathlib.Path) -> str:
    if path.is_dir():
        return "linked folder(s)" if path.is_symlink() else "folder(s) that cannot be read"
    return path.suffix.lower() or "without a suffix"
