"""The baselines that enhanced images are compared with: classical filters and other networks.

All are found by name, with a parameter after a colon where there is one::

    enhancer("unsharp:0.5")  # the unsharp mask of rts_tf.metrics.unsharp, of amount 0.5
    enhancer("bilateral+unsharp:0.5")  # after a bilateral filter, which removes noise
    enhancer("cas:0.5")  # contrast adaptive sharpening (AMD FidelityFX) of FFmpeg, of strength 0.5
    enhancer("waifu2x")  # x2, and back to the size of the image by d()
    upscaler("lanczos")  # U of the paper
    upscaler("realesrgan-x4plus")  # x4, and d() once

waifu2x is upconv_7_photo with noise level 1, "realesrgan" is realesr-animevideov3 x2. They need
the extra ``peers`` and run in processes of their own, see :mod:`experiments.peer_worker`. A process
starts at the first image and stays until this one ends.
"""

import atexit
import dataclasses
import fractions
import functools
import math
from collections.abc import Callable

import cv2
import numpy as np

import rts_tf
from experiments.peer_worker import PEERS, PeerWorker
from rts_tf.errors import ConfigError
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.metrics.unsharp import unsharp_mask

# The bilateral filter: the diameter and the standard deviations, in levels of 255 and in pixels.
DIAMETER, SIGMA_COLOUR, SIGMA_SPACE = 7, 12, 2


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A way to enhance or enlarge images.

    Attributes:
        name: As it was asked for, with its parameter.
        apply: Maps uint8 [H, W, 3] RGB to the same shape, or to uint8 [2H, 2W, 3] if it enlarges.
            That of a network raises PeerError if it cannot be loaded or crashes.
        version: The packages that do the work, and their versions.
    """

    name: str
    apply: Callable[[np.ndarray], np.ndarray]
    version: str


def unsharp(image: np.ndarray, amount: float) -> np.ndarray:
    """Sharpen an image by the project's unsharp mask, which has a sigma of 1.

    Args:
        image: uint8 [H, W, 3].
        amount: 0 leaves the image as it is.

    Returns:
        uint8 [H, W, 3].
    """
    return to_uint8(unsharp_mask(to_float(image), amount))


def bilateral_unsharp(image: np.ndarray, amount: float) -> np.ndarray:
    """Remove noise by a bilateral filter (Tomasi and Manduchi 1998), then sharpen the image.

    Args:
        image: uint8 [H, W, 3].
        amount: That of the unsharp mask; 0 leaves the result of the bilateral filter.

    Returns:
        uint8 [H, W, 3].
    """
    return unsharp(cv2.bilateralFilter(image, DIAMETER, SIGMA_COLOUR, SIGMA_SPACE), amount)


def cas(image: np.ndarray, strength: float) -> np.ndarray:
    """Sharpen each colour by FFmpeg's filter ``cas``, most where the contrast is low.

    The filter rounds down, so an image gets darker by half a level on average. At strength 0 it
    still sharpens: it multiplies detail in flat grey by up to 4/3, at 0.5 by up to 1.7. Near 1 the
    factor is in the hundreds.

    Args:
        image: uint8 [H, W, 3].
        strength: 0 to 1.

    Returns:
        uint8 [H, W, 3].
    """
    import av

    height, width = image.shape[:2]
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=width, height=height, format="gbrp", time_base=fractions.Fraction(1, 25)
    )
    filters = source, graph.add("cas", f"strength={strength}"), graph.add("buffersink")
    graph.link_nodes(*filters).configure()
    graph.push(av.VideoFrame.from_ndarray(image, format="gbrp"))
    return graph.pull().to_ndarray()


def lanczos(image: np.ndarray) -> np.ndarray:
    """Enlarge an image to twice its size by Lanczos interpolation: U of the paper.

    Args:
        image: uint8 [H, W, 3].

    Returns:
        uint8 [2H, 2W, 3].
    """
    from rts_tf.images.resample import double

    return to_uint8(double(to_float(image)[None]).numpy()[0])


def _by_network(image: np.ndarray, name: str, factor: int) -> np.ndarray:
    """Enlarge an image by a network of PEERS and reduce it by Lanczos, d() of the paper.

    Args:
        image: uint8 [H, W, 3].
        name: A key of PEERS.
        factor: That of the result, 1 or 2.

    Returns:
        uint8 [factor H, factor W, 3].
    """
    enlarged = _worker(name)(image)
    halvings = int(math.log2(PEERS[name].factor // factor))
    if not halvings:
        return enlarged
    from rts_tf.images.resample import halve

    result = to_float(enlarged)[None]
    for _ in range(halvings):
        result = halve(result)
    return to_uint8(result.numpy()[0])


@functools.cache
def _worker(name: str) -> PeerWorker:
    worker = PeerWorker(name)
    atexit.register(worker.close)
    return worker


def _own_version() -> str:
    return f"rts_tf {rts_tf.__version__}"


def _opencv_version() -> str:
    return f"opencv {cv2.__version__}, {_own_version()}"


def _ffmpeg_version() -> str:
    try:
        import av
    except ModuleNotFoundError:
        raise ConfigError("cas: needs PyAV: pip install 'rts_tf[video]'") from None
    library = ".".join(map(str, av.library_versions["libavfilter"]))
    return f"libavfilter {library}, av {av.__version__}"


# By name: the filter, the highest value of its parameter, and what says its version.
FILTERS = {
    "unsharp": (unsharp, math.inf, _own_version),
    "bilateral+unsharp": (bilateral_unsharp, math.inf, _opencv_version),
    "cas": (cas, 1.0, _ffmpeg_version),
}
ENHANCERS = (*(f"{name}:A" for name in FILTERS), *PEERS)
UPSCALERS = ("lanczos", *PEERS)


def enhancer(name: str) -> Baseline:
    """Return the baseline ``name``, which keeps the size of an image.

    Args:
        name: One of ENHANCERS, with a number for A.

    Raises:
        ConfigError: There is no such baseline, or its parameter is missing or out of range.
        PeerError: Its package is not installed.
    """
    filter_name, _, parameter = name.partition(":")
    if filter_name not in FILTERS:
        return _peer(name, 1, ENHANCERS)
    function, highest, version = FILTERS[filter_name]
    try:
        value = float(parameter)
    except ValueError:
        value = math.nan
    if not (0 <= value <= highest and math.isfinite(value)):
        limits = f"from 0 to {highest:g}" if math.isfinite(highest) else "of 0 or more"
        raise ConfigError(f"{name!r}: must be {filter_name}:A with a number A {limits}.")
    return Baseline(name, lambda image: function(image, value), version())


def upscaler(name: str) -> Baseline:
    """Return the baseline ``name``, which doubles the sides of an image.

    Args:
        name: One of UPSCALERS.

    Raises:
        ConfigError: There is no such baseline.
        PeerError: Its package is not installed.
    """
    if name == "lanczos":
        return Baseline(name, lanczos, _own_version())
    return _peer(name, 2, UPSCALERS)


def _peer(name: str, factor: int, names: tuple[str, ...]) -> Baseline:
    if name not in PEERS:
        raise ConfigError(f"{name!r}: choose from {', '.join(names)}.")
    return Baseline(name, lambda image: _by_network(image, name, factor), PEERS[name].version())
