"""Apply a network for RGB images to the planes of video frames: to luma, or to luma and chroma.

The change of the network is added to the frame, so what is not enhanced stays as it is, to the last
bit.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from rts_tf.errors import VideoError
from rts_tf.inference import Enhancer, enhancement
from rts_tf.video.info import BT470BG, BT709, VideoInfo

# The weights of red and blue in luma, by AVColorSpace (H.273, table 4)
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}


class YuvEnhancer:
    """Enhances the frames of a video, two at a time.

    For luma alone, the network gets luma as three equal colours, and the luma of its result is
    taken. That takes 2 % more time than the bare network, so nothing is folded into its weights.
    With chroma, frames become RGB by the matrix of the video, with chroma interpolated from its
    sample positions, and the change goes back the same way.
    """

    at_once = 2  # oneDNN gives each core an image, and runs a single one on one core
    side_by_side = 1

    def __init__(
        self, model: Enhancer, info: VideoInfo, strength: float = 1.0, chroma: bool = False
    ):
        """Prepare for frames of the video ``info``.

        Args:
            strength: The share of the network's change that is taken.
            chroma: Whether chroma is enhanced too.

        Raises:
            VideoError: ``chroma`` is asked for, and the matrix of the video is not known.
        """
        self._info, self._model, self._strength = info, model, strength
        self._enhance = enhancement(model.network)
        self._chroma = chroma and not info.format.startswith("gray")
        if self._chroma and info.marked_matrix not in WEIGHTS:
            raise VideoError(
                f"{info.path}: its colour matrix ({info.matrix}) is not known; leave out `chroma`"
            )
        red, blue = WEIGHTS.get(info.marked_matrix, WEIGHTS[BT709])
        self._weights = red, 1 - red - blue, blue
        unit = 2 ** (info.bits - 8)
        self._peak = 2**info.bits - 1
        full, limited = (0, self._peak, self._peak), (16 * unit, 219 * unit, 224 * unit)
        levels: tuple[int, int, int] = full if info.full_range else limited
        self._black, self._luma, self._colour = levels
        self._grey = 128 * unit
        plane = tf.TensorSpec([None, None, None], tf.uint8 if info.bits == 8 else tf.uint16)
        image = tf.TensorSpec([None, None, None, 3], tf.float32)
        self._on_luma = tf.function(self._luma_of_enhanced, [plane])
        self._to_rgb = tf.function(self._rgb, [plane, plane, plane])
        self._change = tf.function(lambda rgb: self._enhance(rgb) - rgb, [image])
        self._changed = tf.function(self._planes, [image, plane, plane, plane])

    def __call__(self, frames: list[tuple[np.ndarray, ...]]) -> list[tuple[np.ndarray, ...]]:
        """The enhanced planes of ``at_once`` frames."""
        luma, *chroma = (np.stack(planes) for planes in zip(*frames, strict=True))
        windows = self._model.tiles(*luma.shape[1:])
        if self._chroma:
            rgb = self._to_rgb(luma, *chroma).numpy()
            change = np.empty((*luma.shape, 3), np.float32)
            for tile in windows:
                on_tile = self._change(rgb[_of_all(tile.read)]).numpy()
                change[_of_all(tile.write)] = on_tile[_of_all(tile.inner)]
            changed = (plane.numpy() for plane in self._changed(change, luma, *chroma))
            return list(zip(*changed, strict=True))
        better = np.empty_like(luma)
        for tile in windows:
            on_tile = self._on_luma(luma[_of_all(tile.read)]).numpy()
            better[_of_all(tile.write)] = on_tile[_of_all(tile.inner)]
        return list(zip(better, *chroma, strict=True))

    def _luma_of_enhanced(self, plane: tf.Tensor) -> tf.Tensor:
        y = (tf.cast(plane, tf.float32) - self._black) / self._luma
        change = self._luma_of(self._enhance(tf.repeat(y[..., None], 3, axis=-1))) - y
        return self._levels(plane, change, self._luma)

    def _luma_of(self, rgb: tf.Tensor) -> tf.Tensor:
        red, green, blue = self._weights
        return red * rgb[..., 0] + green * rgb[..., 1] + blue * rgb[..., 2]

    def _levels(self, plane: tf.Tensor, change: tf.Tensor, scale: int) -> tf.Tensor:
        levels = tf.round(tf.cast(plane, tf.float32) + self._strength * scale * change)
        return tf.cast(tf.clip_by_value(levels, 0, self._peak), plane.dtype)

    def _rgb(self, luma: tf.Tensor, blue: tf.Tensor, red: tf.Tensor) -> tf.Tensor:
        y = (tf.cast(luma, tf.float32) - self._black) / self._luma
        size = tf.shape(luma)[1:]
        u, v = (
            self._enlarged((tf.cast(plane, tf.float32) - self._grey) / self._colour, size)
            for plane in (blue, red)
        )
        of_red, of_green, of_blue = self._weights
        r, b = y + 2 * (1 - of_red) * v, y + 2 * (1 - of_blue) * u
        return tf.stack([r, (y - of_red * r - of_blue * b) / of_green, b], axis=-1)

    def _planes(
        self, change: tf.Tensor, luma: tf.Tensor, blue: tf.Tensor, red: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        y = self._luma_of(change)
        u = (change[..., 2] - y) / (2 * (1 - self._weights[2]))
        v = (change[..., 0] - y) / (2 * (1 - self._weights[0]))
        size = tf.shape(blue)[1:]
        u, v = (self._reduced(plane, size) for plane in (u, v))
        return (
            self._levels(luma, y, self._luma),
            self._levels(blue, u, self._colour),
            self._levels(red, v, self._colour),
        )

    def _enlarged(self, plane: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        for axis, halved, between in self._subsampling():
            if halved:
                plane = enlarged(plane, axis, between)
        return plane[:, : size[0], : size[1]]

    def _reduced(self, plane: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        for axis, halved, between in self._subsampling():
            if halved:
                plane = reduced(plane, axis, between)
        return plane[:, : size[0], : size[1]]

    def _subsampling(self) -> tuple[tuple[int, bool, bool], ...]:
        """How chroma is subsampled along each axis.

        Returns:
            For both axes: the axis, whether chroma has half the samples along it, and whether these
            lie between two samples of luma instead of on every second one.
        """
        name = self._info.format
        rows = "420" in name
        # MPEG-2 and later place chroma on the left sample of luma. JPEG, where full range comes
        # from, places it between two.
        between = self._info.full_range and self._info.marked_matrix == BT470BG
        return (1, rows, True), (2, rows or "422" in name, between)


def _of_all(window: tuple[slice, slice]) -> tuple[slice, ...]:
    return slice(None), *window


def enlarged(plane: tf.Tensor, axis: int, between: bool) -> tf.Tensor:
    """Double the samples of [batch, H, W] along ``axis`` by linear interpolation.

    The new samples lie between the old ones if ``between``, else every second one lies on an old
    one. Borders are repeated.
    """
    before, after = _neighbours(plane, axis)
    if between:
        first, second = 0.25 * before + 0.75 * plane, 0.75 * plane + 0.25 * after
    else:
        first, second = plane, (plane + after) / 2
    shape = tf.tensor_scatter_nd_update(tf.shape(plane), [[axis]], [2 * tf.shape(plane)[axis]])
    return tf.reshape(tf.stack([first, second], axis=axis + 1), shape)


def reduced(plane: tf.Tensor, axis: int, between: bool) -> tf.Tensor:
    """Halve the samples of [batch, H, W] along ``axis``.

    A new sample is the mean of two old ones if ``between``, else [1 2 1] / 4 around the first of
    the two. Borders are repeated.
    """
    if not between:
        before, after = _neighbours(plane, axis)
        plane = (before + 2 * plane + after) / 4
    odd = tf.shape(plane)[axis] % 2
    plane = tf.concat([plane, _slice(plane, axis, tf.shape(plane)[axis] - odd, None)], axis)
    first, second = _slice(plane, axis, 0, None, 2), _slice(plane, axis, 1, None, 2)
    return (first + second) / 2 if between else first


def _neighbours(plane: tf.Tensor, axis: int) -> tuple[tf.Tensor, tf.Tensor]:
    first, last = _slice(plane, axis, 0, 1), _slice(plane, axis, -1, None)
    return (
        tf.concat([first, _slice(plane, axis, 0, -1)], axis),
        tf.concat([_slice(plane, axis, 1, None), last], axis),
    )


def _slice(
    plane: tf.Tensor, axis: int, start: Any, stop: Any, step: int | None = None
) -> tf.Tensor:
    return plane[tuple(slice(start, stop, step) if i == axis else slice(None) for i in range(3))]
