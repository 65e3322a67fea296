"""The headless Chromium of the tests: as :mod:`rts_tf.export.runners.chromium`, or skipped."""

import contextlib
import io
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from PIL import Image

from rts_tf.export.runners import chromium
from rts_tf.export.runners.chromium import Tab


@contextlib.contextmanager
def browser(profile: pathlib.Path, flags: Sequence[str] = ()) -> Iterator[Tab]:
    """A new browser with a profile of its own. Skips the test if Chromium is not installed."""
    if reason := chromium.missing():
        pytest.skip(reason)
    with chromium.browser(profile, flags) as tab:
        yield tab


def seen(tab: Tab) -> np.ndarray:
    """The window of a tab, uint8 [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(tab.screenshot())).convert("RGB"))
