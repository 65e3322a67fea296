"""What enhances the frames of a video, whether it is read from a file or from a pipe.

A network that doubles the size works on RGB, so :class:`rts_tf.enhance.yuv.YuvEnhancer` converts
frames for it. A network for luma takes the plane of luma as it is.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
        side_by_side: The number of calls, from threads of their own, that use the machine best.
    """

    at_once: int
    side_by_side: int

    def __call__(self, frames: list[Planes]) -> list[Planes]:
        """Return the enhanced planes of ``at_once`` frames, of the same shapes and types."""
        ...


class LumaFrames:
    """Enhances the luma of frames, and passes on all other planes themselves.

    In a stream, all cores share a frame, since it is there soonest then. In a file, each core has a
    frame of its own and waits for no other.

    Samples of 8 and of 16 bits go to the network as they are. Those in between become floats in
    which black and white lie where they lie in 8 bits.
    """

    at_once = 1

    def __init__(
        self,
        model: LumaEnhancer,
        bits: int,
        full_range: bool,
        strength: float = 1.0,
        side_by_side: int = 1,
    ):
        """Prepare for frames of ``bits`` per sample, from 8 to 16.

        Args:
            full_range: Whether samples use the full range of levels.
            strength: The share of the network's change that is taken.
            side_by_side: The number of frames that are enhanced at a time; with one, all cores
                share it.
        """
        self.side_by_side = side_by_side
        self._model, self._strength, self._peak = model, strength, 2**bits - 1
        self._as_it_is = bits in (8, 16)
        self._white = np.float32(self._peak if full_range else 255 * 2 ** (bits - 8))

    def __call__(self, frames: list[Planes]) -> list[Planes]:
        """Return the enhanced planes of a frame."""
        ((luma, *others),) = frames
        plane = self._to_network(luma)
        if self.side_by_side == 1:
            better = self._model.enhance_luma(plane, self._strength)
        else:
            (better,) = self._model.enhance_planes([plane], self._strength)
        return [(self._from_network(better, luma.dtype), *others)]

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
        return LumaFrames(model, info.bits, info.full_range, strength, side_by_side=cores())
    from rts_tf.enhance.yuv import YuvEnhancer

    return YuvEnhancer(model, info, strength, chroma)


def through(
    frames: Iterable[tuple[Any, Planes]],
    network: FrameEnhancer,
    on_frames: Callable[[int], None] = lambda count: None,
) -> Iterator[tuple[Any, Planes]]:
    """Yield each frame with its planes enhanced, and with what came beside them.

    The network gets groups of one size, so the last frame is repeated if need be. A group is handed
    to it before those ahead are taken, so that no core waits.

    Args:
        frames: Each is a pair of anything, such as its time, and the planes.
        network: Enhances them.
        on_frames: Is called after each group with the number of its frames.
    """
    if network.side_by_side == 1:  # without delay
        for group in _groups(frames, network.at_once):
            yield from _together(group, network(_planes_of(group, network.at_once)), on_frames)
        return
    waiting: collections.deque[tuple[list, Future]] = collections.deque()
    with ThreadPoolExecutor(network.side_by_side) as pool:
        for group in _groups(frames, network.at_once):
            planes = _planes_of(group, network.at_once)
            waiting.append((group, pool.submit(network, planes)))
            if len(waiting) > network.side_by_side:
                first, result = waiting.popleft()
                yield from _together(first, result.result(), on_frames)
        for group, result in waiting:
            yield from _together(group, result.result(), on_frames)


def _groups(frames: Iterable[tuple[Any, Planes]], size: int) -> Iterator[list[tuple[Any, Planes]]]:
    """Yield lists of ``size`` frames; the last one may be shorter."""
    frames = iter(frames)
    while group := list(itertools.islice(frames, size)):
        yield group


def _planes_of(group: list[tuple[Any, Planes]], size: int) -> list[Planes]:
    """The planes of ``size`` frames, the last one repeated."""
    planes = [planes for _, planes in group]
    return planes + planes[-1:] * (size - len(group))


def _together(
    group: list[tuple[Any, Planes]], better: list[Planes], on_frames: Callable[[int], None]
) -> Iterator[tuple[Any, Planes]]:
    """Yield enhanced planes with what came beside them."""
    for (beside, _), planes in zip(group, better):
        yield beside, planes
    on_frames(len(group))
