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
from rts_tf.metrics.resources import cores

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
    """Enhances the luma of frames, and passes on all other planes themselves.

    One frame at once is for streams, since it is there soonest: all cores share it. Several at once
    are for files: each core has one of its own and waits for no other.

    Samples of 8 and of 16 bits go to the network as they are. Those in between become floats in
    which black and white lie where they lie in 8 bits.
    """

    def __init__(
        self,
        model: LumaEnhancer,
        bits: int,
        full_range: bool,
        strength: float = 1.0,
        at_once: int = 1,
    ):
        """Prepare for frames of ``bits`` per sample, from 8 to 16.

        Args:
            full_range: Whether samples use the full range of levels.
            strength: The share of the network's change that is taken.
            at_once: The number of frames in each call.
        """
        self.at_once = at_once
        self._model, self._strength, self._peak = model, strength, 2**bits - 1
        self._as_it_is = bits in (8, 16)
        self._white = np.float32(self._peak if full_range else 255 * 2 ** (bits - 8))

    def __call__(self, frames: list[Planes]) -> list[Planes]:
        """Return the enhanced planes of ``at_once`` frames."""
        lumas = [self._to_network(luma) for luma, *_ in frames]
        if len(lumas) == 1:
            better = [self._model.enhance_luma(lumas[0], self._strength)]
        else:
            better = self._model.enhance_planes(lumas, self._strength)
        return [
            (self._from_network(one, luma.dtype), *others)
            for one, (luma, *others) in zip(better, frames, strict=True)
        ]

    def _to_network(self, luma: np.ndarray) -> np.ndarray:
        return luma if self._as_it_is else luma / self._white

    def _from_network(self, better: np.ndarray, dtype: np.dtype) -> np.ndarray:
        if self._as_it_is:
            return better
        better *= self._white
        np.clip(np.rint(better, out=better), 0, self._peak, out=better)
        return better.astype(dtype)


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
        return LumaFrames(model, info.bits, info.full_range, strength, at_once=cores())
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
