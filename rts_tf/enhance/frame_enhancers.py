"""What enhances the frames of a video, whether it is read from a file or from a pipe.

A network that doubles the size works on RGB, so :class:`rts_tf.enhance.yuv.YuvEnhancer` converts
frames for it. A network for luma takes the plane of luma as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from rts_tf.inference import Enhancer
from rts_tf.luma.enhancer import LumaEnhancer

if TYPE_CHECKING:  # it imports PyAV, which a pipe through a network for luma does not need
    from rts_tf.video.info import VideoInfo

Model: TypeAlias = Enhancer | LumaEnhancer
# uint8 or uint16, [H, W] for Y, then [h, w] for Cb and Cr if there is colour
Planes: TypeAlias = tuple[np.ndarray, ...]


class FrameEnhancer(Protocol):
    """A function of frames.

    Attributes:
        at_once: The number of frames that it takes, and returns, in each call.
    """

    at_once: int

    def __call__(self, frames: list[Planes]) -> list[Planes]:
        """Return the enhanced planes of ``at_once`` frames, of the same shapes and types."""
        ...


class LumaFrames:
    """Enhances the luma of one frame after the other, and passes on all other planes themselves.

    Samples of 8 and of 16 bits go to the network as they are. Those in between become floats in
    which black and white lie where they lie in 8 bits.
    """

    at_once = 1

    def __init__(self, model: LumaEnhancer, bits: int, full_range: bool, strength: float = 1.0):
        """Prepare for frames of ``bits`` per sample, from 8 to 16.

        Args:
            full_range: Whether samples use the full range of levels.
            strength: The share of the network's change that is taken.
        """
        self._model, self._strength, self._peak = model, strength, 2**bits - 1
        self._as_it_is = bits in (8, 16)
        self._white = np.float32(self._peak if full_range else 255 * 2 ** (bits - 8))

    def __call__(self, frames: list[Planes]) -> list[Planes]:
        """Return the enhanced planes of one frame."""
        return [(self._enhanced(luma), *others) for luma, *others in frames]

    def _enhanced(self, luma: np.ndarray) -> np.ndarray:
        if self._as_it_is:
            return self._model.enhance_luma(luma, self._strength)
        better = self._model.enhance_luma(luma / self._white, self._strength)
        better *= self._white
        np.clip(np.rint(better, out=better), 0, self._peak, out=better)
        return better.astype(luma.dtype)


def frame_enhancer(
    model: Model, info: VideoInfo, strength: float = 1.0, chroma: bool = False
) -> FrameEnhancer:
    """Return what enhances frames of the video ``info`` with ``model``.

    Args:
        strength: The share of the network's change that is taken.
        chroma: Whether chroma is enhanced too. A network for luma leaves it as it is.

    Raises:
        VideoError: ``chroma`` is asked for, and the matrix of the video is not known.
    """
    if isinstance(model, LumaEnhancer):
        return LumaFrames(model, info.bits, info.full_range, strength)
    from rts_tf.enhance.yuv import YuvEnhancer

    return YuvEnhancer(model, info, strength, chroma)


def through(
    frames: Iterable[tuple[Any, Planes]],
    network: FrameEnhancer,
    on_frames: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[Any, Planes]]:
    """Yield each frame with its planes enhanced, and with what came beside them.

    The network gets groups of one size, so the last frame is repeated if need be.

    Args:
        frames: Each is a pair of anything, such as its time, and the planes.
        network: Enhances them.
        on_frames: Is called after each group with the number of its frames.
    """
    frames = iter(frames)
    while group := list(itertools.islice(frames, network.at_once)):
        filled = group + group[-1:] * (network.at_once - len(group))
        better = network([planes for _, planes in filled])
        for (beside, _), planes in zip(group, better):
            yield beside, planes
        on_frames(len(group))
