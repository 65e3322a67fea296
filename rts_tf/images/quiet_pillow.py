"""Pillow without its limit of pixels and without its warnings, also in several threads at once."""

import contextlib
import threading
import warnings
from collections.abc import Iterator

from PIL import Image

_lock = threading.Lock()
_blocks = 0  # how many are running
_limit: int | None = None
_warnings = contextlib.ExitStack()


@contextlib.contextmanager
def quiet_pillow() -> Iterator[int | None]:
    """Lift Pillow's limit of pixels and ignore all warnings while the block runs.

    Both are global variables of the process. If each block put back what it had found, two blocks
    in two threads could leave them changed for good, so the first one changes them and the last one
    puts them back.

    Yields:
        The limit that was lifted, in pixels; None if there was none. Whoever opens an image has to
        check its size.
    """
    global _blocks, _limit
    with _lock:
        if not _blocks:
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            _warnings.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        _blocks += 1
    try:
        yield _limit
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                Image.MAX_IMAGE_PIXELS = _limit
                _warnings.close()
