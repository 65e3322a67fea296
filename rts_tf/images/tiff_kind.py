"""What the tags of a TIFF file say about its samples, and which kinds are refused."""

from typing import Any, NamedTuple

from rts_tf.errors import ImageError

BITS_PER_SAMPLE, COMPRESSION, EXTRA_SAMPLES, SUBSAMPLING, SAMPLE_FORMAT = 258, 259, 338, 530, 339
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, LAB, ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
# Samples of a pixel without extra ones
_COLOURS = {
    **{WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1},
    **{CMYK: 4, YCBCR: 3, LAB: 3, ICC_LAB: 3},
}
_UNSIGNED, _SIGNED, _FLOAT, _UNDEFINED = 1, 2, 3, 4  # sample formats
_UNSPECIFIED, _PREMULTIPLIED, _ALPHA = 0, 1, 2  # kinds of extra samples
_DNG = 50706  # the tag with the version of the format
_JPEG = (6, 7)  # compressions that keep fewer samples of colour by themselves


class TiffKind(NamedTuple):
    """The kind of samples in a file.

    Attributes:
        photometric: What the colours are, one of the constants above.
        bits: Bits per sample.
        floating: Whether samples are floating point.
        colours: Samples of a pixel that are colours.
        alpha: The index of the sample that is alpha, or None.
        premultiplied: Whether the colours are multiplied by alpha.
        rewritten: Where the type of the first extra sample stands in the file, if it is not plain
            alpha; else 0.
        for_pillow: Whether Pillow decodes such samples without loss.
        notes: What is guessed or left out.
    """

    photometric: int
    bits: int
    floating: bool
    colours: int
    alpha: int | None
    premultiplied: bool
    rewritten: int
    for_pillow: bool
    notes: tuple[str, ...]


def kind_of(page: Any) -> TiffKind:
    """Find out what the samples of a page of tifffile are.

    Raises:
        ImageError: They cannot become grey or RGB of at most 16 bits. The message says why.
    """
    if _DNG in page.tags:
        raise ImageError("is the raw file of a camera (DNG); develop it first")
    photometric = int(page.photometric)
    if photometric not in _COLOURS:
        name = getattr(page.photometric, "name", str(photometric))
        raise ImageError(
            f"has colours of the kind {name}, which are not supported; convert it to RGB first"
        )
    bits, floating = _checked_samples(page)
    compression = int(page.compression)
    if photometric == YCBCR and compression not in _JPEG and _tag(page, SUBSAMPLING) != (1, 1):
        raise ImageError("is YCbCr with colour at a lower resolution; convert it to RGB first")
    colours, count = _COLOURS[photometric], page.samplesperpixel
    if count < colours:
        raise ImageError(f"has {count} samples per pixel, where its colours need {colours}")
    extra = [int(value) for value in _tag(page, EXTRA_SAMPLES)][: count - colours]
    extra += [_UNSPECIFIED] * (count - colours - len(extra))
    named = [i for i, kind in enumerate(extra) if kind in (_PREMULTIPLIED, _ALPHA)]
    at = named[0] if named else 0
    notes = []
    if extra and not named:
        notes.append("its extra sample, of which the file does not say what it is, became alpha")
    if len(extra) > 1:
        notes.append(f"further samples of each pixel were left out: {len(extra) - 1}")
    tag = page.tags.get(EXTRA_SAMPLES)
    plain = not extra or extra[0] == _ALPHA
    return TiffKind(
        photometric=photometric,
        bits=bits,
        floating=floating,
        colours=colours,
        alpha=colours + at if extra else None,
        premultiplied=bool(named) and extra[at] == _PREMULTIPLIED,
        rewritten=0 if plain or tag is None else tag.valueoffset,
        for_pillow=bits <= 8 and len(extra) <= 1 and (plain or tag is not None),
        notes=tuple(notes),
    )


def _checked_samples(page: Any) -> tuple[int, bool]:
    """Bits per sample, and whether they are floating point."""
    sizes = set(_tag(page, BITS_PER_SAMPLE)) or {1}
    formats = {int(value) for value in _tag(page, SAMPLE_FORMAT)} or {_UNSIGNED}
    bits = int(max(sizes))
    if len(sizes) > 1 or len(formats) > 1:
        raise ImageError("has samples of different kinds; convert it to RGB first")
    if formats == {_FLOAT}:
        return bits, True
    if formats == {_SIGNED}:
        raise ImageError("has signed integers as samples; convert it to 8 or 16 bits first")
    if not formats <= {_UNSIGNED, _UNDEFINED}:
        raise ImageError("has complex numbers as samples; convert it to 8 or 16 bits first")
    if bits > 16:
        raise ImageError(f"has integers of {bits} bits as samples; convert it to 16 bits first")
    return bits, False


def _tag(page: Any, code: int) -> tuple:
    """The values of a tag, none if it is missing."""
    tag = page.tags.get(code)
    if tag is None:
        return ()
    return tuple(tag.value) if isinstance(tag.value, tuple | list) else (tag.value,)
