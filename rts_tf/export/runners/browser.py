"""Runs the network of a page in headless Chromium, as somebody who opens the file would."""

import atexit
import base64
import contextlib
import io
import json
import pathlib
import tempfile

import numpy as np
from PIL import Image

from rts_tf.errors import RtsError
from rts_tf.export.runners import chromium
from rts_tf.export.runners.process import Opened, serve

PATIENCE = 540  # seconds for a frame: without a graphics card, a large network takes minutes
# The page enhances a file that it is given, and hands back the one that it offers for download.
ENHANCED = """(async ({ file, name, type, settings }) => {
  clear();
  for (const [id, value] of Object.entries(settings)) element(id).value = value;
  const bytes = Uint8Array.from(atob(file), letter => letter.charCodeAt(0));
  add([new File([bytes], name, { type })]);
  while (!isDone(shown)) {
    if (!ready && !element("notice").hidden) throw new Error(element("notice").textContent);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
  if (shown.failure) throw new Error(shown.failure);
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.readAsDataURL(shown.blob);
  });
})"""

missing = chromium.missing


def enhanced(
    tab: chromium.Tab, contents: bytes, name: str = "frame.png", **settings: str | int
) -> bytes:
    """Let an open page enhance an image file.

    Args:
        tab: Where it is open.
        contents: The file.
        name: Its name. The page reads the format from the contents.
        settings: The values of the controls of the page by their ids: ``network`` (its number),
            ``strength`` (in percent) and ``format`` (as in ``image/png``).

    Returns:
        The file that the page offers for download.

    Raises:
        RtsError: The page cannot enhance it. The message has the reason that the page shows.
    """
    encoded = base64.b64encode(contents).decode("ascii")
    values = {"file": encoded, "name": name, "type": "image/png", "settings": settings}
    return base64.b64decode(tab.evaluate(f"{ENHANCED}({json.dumps(values)})", PATIENCE))


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a page of :func:`rts_tf.export.page.page_file`. Chromium runs until this process ends.

    Args:
        path: The HTML file.
        signature: The name of a network on the page, or "enhance" for the first one.

    Returns:
        A function from a frame, uint8 [H, W, 3] or [H, W, 1], to the same shape. Its time has that
        of writing and reading two PNG files in it.

    Raises:
        RtsError: Chromium is not installed or does not start, the page has no such network, or it
            cannot compute here.
    """
    running = contextlib.ExitStack()
    atexit.register(running.close)
    # The last processes of the browser may still write to their profile.
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    scratch = pathlib.Path(running.enter_context(folder))
    tab = running.enter_context(chromium.browser(scratch / "profile"))
    tab.open(path.resolve())
    names = tab.evaluate("networks.map(({name}) => name)")
    if signature not in ("enhance", *names):
        raise RtsError(f"{path.name}: it has the networks {', '.join(names)}, not {signature}")
    network = 0 if signature == "enhance" else names.index(signature)

    def function(frame: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(np.broadcast_to(frame, (*frame.shape[:2], 3))).save(file, "png")
        result = enhanced(tab, file.getvalue(), network=network, format="image/png")
        image = np.asarray(Image.open(io.BytesIO(result)).convert("RGB"))
        return image[..., : frame.shape[2]]

    return function


if __name__ == "__main__":
    serve(opened)
