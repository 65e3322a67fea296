"""A network of RGB pictures on the planes of films: on luma alone, or on luma and chroma.

What the network changes is added to what is there, so chroma that is kept is kept to the last bit, and with a strength of 0 the
whole film is.
"""

import numpy as np
import tensorflow as tf

from rts_tf.errors import VideoError
from rts_tf.inference import Enhancer, enhancement
from rts_tf.video.reader import BT470BG, BT709, Film

FRAMES_AT_ONCE = 2  # oneDNN gives each core a picture, and runs a single one on one core
# The weights of red and blue in luma by AVColorSpace (H.273, table 4)
WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}


class YuvEnhancer:
    """``model.enhance`` for frames of ``film``, two at a time.

    Luma alone: the network sees luma as three equal colours, and the luma of what it returns is taken. That costs 2 % more than
    the bare network, so nothing is folded into weights of its own. With chroma: RGB by the film's matrix, chroma
    interpolated where the film sites it, and the change brought back the same way.
    """

    def __init__(self, model: Enhancer, film: Film, strength: float = 1.0, chroma: bool = False):
        """Raises VideoError if ``chroma`` is asked for and the film's matrix is none from RGB to luma and two differences."""
        self._film, self._model, self._strength = film, model, strength
        self._enhance = enhancement(model.network)
        self._chroma = chroma and not film.format.startswith("gray")
        if self._chroma and film.marked_matrix not in WEIGHTS:
            raise VideoError(
                f"{film.path}: its colour matrix ({film.matrix}) is not known; leave out --chroma"
            )
        red, blue = WEIGHTS.get(film.marked_matrix, WEIGHTS[BT709])
        self._weights = red, 1 - red - blue, blue
        unit = 2 ** (film.bits - 8)
        self._peak = 2**film.bits - 1
        full, limited = (0, self._peak, self._peak), (16 * unit, 219 * unit, 224 * unit)
        self._black, self._luma, self._colour = full if film.full_range else limited
        self._grey = 128 * unit
        plane = tf.TensorSpec([None, None, None], tf.uint8 if film.bits == 8 else tf.uint16)
        picture = tf.TensorSpec([None, None, None, 3], tf.float32)
        self._on_luma = tf.function(self._luma_of_enhanced, [plane])
        self._to_rgb = tf.function(self._rgb, [plane, plane, plane])
        self._change = tf.function(lambda rgb: self._enhance(rgb) - rgb, [picture])
        self._changed = tf.function(self._planes, [picture, plane, plane, plane])

    def __call__(self, frames: list[tuple[np.ndarray, ...]]) -> list[tuple[np.ndarray, ...]]:
        """The enhanced planes of ``FRAMES_AT_ONCE`` frames."""
        luma, *chroma = (np.stack(planes) for planes in zip(*frames, strict=True))
        windows = self._model.tiles(*luma.shape[1:])
        if self._chroma:
            rgb, change = (
                self._to_rgb(luma, *chroma).numpy(),
                np.empty((*luma.shape, 3), np.float32),
            )
            for tile in windows:
                change[_of_all(tile.write)] = self._change(rgb[_of_all(tile.read)]).numpy()[
                    _of_all(tile.inner)
                ]
            return list(
                zip(*(plane.numpy() for plane in self._changed(change, luma, *chroma)), strict=True)
            )
        better = np.empty_like(luma)
        for tile in windows:
            better[_of_all(tile.write)] = self._on_luma(luma[_of_all(tile.read)]).numpy()[
                _of_all(tile.inner)
            ]
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
        """(axis, whether chroma is halved along it, whether its samples lie between those of luma or on every second)."""
        name = self._film.format
        rows = "420" in name
        # MPEG-2 and later site chroma on the left sample; JPEG, which full range comes from, between two
        return (1, rows, True), (
            2,
            rows or "422" in name,
            self._film.full_range and self._film.marked_matrix == BT470BG,
        )


def _of_all(window: tuple[slice, slice]) -> tuple[slice, ...]:
    return slice(None), *window


def enlarged(plane: tf.Tensor, axis: int, between: bool) -> tf.Tensor:
    """Twice as many samples of [batch, H, W] along ``axis``, linearly: between the old ones, or each second of them on one."""
    before, after = _neighbours(plane, axis)
    first, second = (
        (0.25 * before + 0.75 * plane, 0.75 * plane + 0.25 * after)
        if between
        else (plane, (plane + after) / 2)
    )
    shape = tf.tensor_scatter_nd_update(tf.shape(plane), [[axis]], [2 * tf.shape(plane)[axis]])
    return tf.reshape(tf.stack([first, second], axis=axis + 1), shape)


def reduced(plane: tf.Tensor, axis: int, between: bool) -> tf.Tensor:
    """Half as many, each the mean of two or [1 2 1] / 4 around the first of two. Borders are repeated."""
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


def _slice(plane: tf.Tensor, axis: int, start, stop, step=None) -> tf.Tensor:
    return plane[tuple(slice(start, stop, step) if i == axis else slice(None) for i in range(3))]
