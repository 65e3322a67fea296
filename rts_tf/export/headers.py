"""Reads the headers of PNG and JPEG files in a graph: what the decoders of TensorFlow do not say.

Files are scalar tensors of bytes. A header that is cut short is no error here but in the decoder.
"""

from typing import NamedTuple

import tensorflow as tf

_ORIENTATION = 0x0112  # a tag of EXIF
_ENTRY = 12  # bytes of an entry of EXIF
_MOST = 1000  # chunks or segments; a file of millions would keep a server busy


class PngHeader(NamedTuple):
    """What the header of a PNG file says.

    Attributes:
        height: int64 scalar, pixels.
        width: int64 scalar, pixels.
        bits: int64 scalar, of a sample.
        has_alpha: Boolean scalar; a colour that is marked as transparent counts.
        animated: Boolean scalar.
        orientation: int64 scalar, of EXIF: 1 to 8.
    """

    height: tf.Tensor
    width: tf.Tensor
    bits: tf.Tensor
    has_alpha: tf.Tensor
    animated: tf.Tensor
    orientation: tf.Tensor


class JpegHeader(NamedTuple):
    """What the segments in front of the pixels of a JPEG file say.

    Attributes:
        has_profile: Boolean scalar, whether there is an ICC profile.
        orientation: int64 scalar, of EXIF: 1 to 8.
    """

    has_profile: tf.Tensor
    orientation: tf.Tensor


def png_header(data: tf.Tensor) -> PngHeader:
    """Read what stands in front of the pixels of a PNG file of at least 26 bytes."""
    length = tf.cast(tf.strings.length(data), tf.int64)

    def more(at: tf.Tensor, kind: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (at + 12 <= length) & tf.not_equal(kind, "IDAT")

    def chunk(
        at: tf.Tensor, _: tf.Tensor, marked: tf.Tensor, animated: tf.Tensor, exif: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        size, kind = _number(_part(data, at, 4)), _part(data, at + 4, 4)
        exif = tf.cond(tf.equal(kind, "eXIf"), lambda: _part(data, at + 8, size), lambda: exif)
        marked, animated = marked | tf.equal(kind, "tRNS"), animated | tf.equal(kind, "acTL")
        return at + 12 + size, kind, marked, animated, exif

    no = tf.constant(False)
    start = (tf.constant(8, tf.int64), tf.constant(""), no, no, tf.constant(""))
    _, _, marked, animated, exif = tf.while_loop(more, chunk, start, maximum_iterations=_MOST)
    return PngHeader(
        height=_number(_part(data, 20, 4)),
        width=_number(_part(data, 16, 4)),
        bits=_number(_part(data, 24, 1)),
        has_alpha=marked | (_number(_part(data, 25, 1)) >= 4),
        animated=animated,
        orientation=_orientation(exif),
    )


def jpeg_header(data: tf.Tensor) -> JpegHeader:
    """Read what stands in front of the pixels of a JPEG file."""
    length = tf.cast(tf.strings.length(data), tf.int64)

    def more(at: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (at + 4 <= length) & tf.not_equal(_part(data, at, 2), b"\xff\xda")

    def segment(
        at: tf.Tensor, profile: tf.Tensor, exif: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        marker, size = _part(data, at, 2), _number(_part(data, at + 2, 2))
        is_profile = tf.equal(marker, b"\xff\xe2") & _holds(data, at + 4, b"ICC_PROFILE\0")
        is_exif = tf.equal(marker, b"\xff\xe1") & _holds(data, at + 4, b"Exif\0\0")
        exif = tf.cond(is_exif, lambda: _part(data, at + 10, size - 8), lambda: exif)
        # Any number of bytes 0xff may stand in front of a marker.
        following = tf.where(tf.equal(marker, b"\xff\xff"), at + 1, at + 2 + size)
        return following, profile | is_profile, exif

    start = (tf.constant(2, tf.int64), tf.constant(False), tf.constant(""))
    _, profile, exif = tf.while_loop(more, segment, start, maximum_iterations=_MOST)
    return JpegHeader(profile, _orientation(exif))


def upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undo the orientation that EXIF records: [H, W, 3], or [W, H, 3] from 5 to 8."""

    def where(orientations: tuple[int, ...], change: tf.Tensor) -> tf.Tensor:
        wanted = tf.reduce_any(tf.equal(orientation, tf.constant(orientations, tf.int64)))
        return tf.cond(wanted, lambda: change(image), lambda: image)

    image = where((5, 6, 7, 8), lambda x: tf.transpose(x, [1, 0, 2]))
    image = where((3, 4, 7, 8), lambda x: tf.reverse(x, [0]))
    return where((2, 3, 6, 7), lambda x: tf.reverse(x, [1]))


def _part(data: tf.Tensor, start: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """Up to ``count`` bytes; fewer, or none, where the file has no more."""
    length = tf.cast(tf.strings.length(data), tf.int64)
    start = tf.clip_by_value(tf.cast(start, tf.int64), 0, length)
    count = tf.clip_by_value(tf.cast(count, tf.int64), 0, length - start)
    return tf.strings.substr(data, start, count)


def _holds(data: tf.Tensor, start: tf.Tensor, wanted: bytes) -> tf.Tensor:
    return tf.equal(_part(data, start, len(wanted)), wanted)


def _bytes(data: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.io.decode_raw(data, tf.uint8), tf.int64)


def _number(data: tf.Tensor) -> tf.Tensor:
    """The number of up to four bytes, the highest one first."""
    values = _bytes(data)
    return tf.reduce_sum(values * 256 ** tf.range(tf.size(values, tf.int64) - 1, -1, -1))


def _orientation(exif: tf.Tensor) -> tf.Tensor:
    """The orientation in a block of EXIF that begins as TIFF does; 1 if there is none."""
    values = tf.concat([_bytes(exif), tf.zeros(8, tf.int64)], 0)  # so that there is a first one
    last = tf.size(values, tf.int64) - 1

    def number(at: tf.Tensor, count: int) -> tf.Tensor:
        places = tf.clip_by_value(tf.expand_dims(at, -1) + tf.range(count, dtype=tf.int64), 0, last)
        powers = 256 ** tf.range(count, dtype=tf.int64)
        powers = tf.where(tf.equal(values[0], ord("I")), powers, tf.reverse(powers, [0]))
        return tf.reduce_sum(tf.gather(values, places) * powers, -1)

    first = number(tf.constant(4, tf.int64), 4)
    entries = first + 2 + _ENTRY * tf.range(number(first, 2))
    found = tf.equal(number(entries, 2), _ORIENTATION)
    orientation = tf.reduce_sum(tf.where(found, number(entries + 8, 2), 0))
    return tf.where((orientation >= 1) & (orientation <= 8), orientation, 1)
