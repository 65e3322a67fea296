"""Turns a network into 8-bit integers: ranges of tensors and rounded kernels, without training.

The range of a tensor is the one of least squared error on real crops. Kernels are rounded to the
least squared error of their output, the objective of GPTQ (Frantar et al. 2022), and the biases
take up the error that is left (Nagel et al. 2019, section 4.2).
"""

import dataclasses
from collections.abc import Callable, Iterable, Set

import numpy as np
import tensorflow as tf

from rts_tf.export import HEADS, tensors
from rts_tf.export.body import IMAGE_CHANNELS, Body, image_sources, sources_of_convolutions
from rts_tf.export.passes import Convolution, Pass
from rts_tf.export.traced import Kernels, Visit, kernels_of, traced_head

SAMPLES = 4000  # values kept of each tensor and crop
PATCHES = 400  # patches kept of the input of each kernel and crop
# To keep the sum of a kernel, its step changes by at most this share. Where the weights cancel,
# there is no sum to keep.
MOST_CHANGE = 0.01
# Height and width of the kernel that reads a tensor, where it is not 3x3.
KERNEL_SIZES = {tensors.PHASES: (1, 7), tensors.NORMED_COLUMNS: (7, 1)}


class Observed:
    """What the tensors of both heads hold on crops, in floating point.

    Attributes:
        samples: values by tensor name.
        images: names of the tensors that are images or their phases, except the input.
        moments: by the name of the input of a kernel, the mean of x x^T over the patches x that
            the kernel reads.
        means: likewise the mean of x.
    """

    def __init__(self, body: Body, crops: Iterable[np.ndarray]):
        """Run both heads of a network on ``crops``, uint8 [H, W, 3]."""
        self.samples: dict[str, np.ndarray] = {}
        self.images = {tensors.SEGMENTS}
        self._patches: dict[str, list[np.ndarray]] = {}
        self._random = np.random.default_rng(0)
        for crop in crops:
            image = tf.constant(crop[None] / 255, tf.float32)
            for head in HEADS:
                traced_head(body, head, image, kernels_of(body), self._note)
            kernels = kernels_of(body, segmented=True)
            traced_head(body, "upscale", image, kernels, self._note_segmented, segmented=True)
        patches = {
            name: np.concatenate(kept).astype(np.float64) for name, kept in self._patches.items()
        }
        self.moments = {name: x.T @ x / len(x) for name, x in patches.items()}
        self.means = {name: x.mean(0) for name, x in patches.items()}

    def _note_segmented(self, name: str, value: tf.Tensor) -> tf.Tensor:
        """Note only what the last convolution reads; the rest is as without segments."""
        return self._note(tensors.SEGMENTED_INPUT, value) if name == tensors.HEAD_INPUT else value

    def _note(self, name: str, value: tf.Tensor) -> tf.Tensor:
        flat = value.numpy().ravel()
        chosen = flat[self._random.integers(flat.size, size=SAMPLES)]
        if value.shape[-1] > IMAGE_CHANNELS:
            # The extremes matter here. In an image they are mostly beyond white, and cut off.
            chosen[:2] = flat.min(), flat.max()
        elif name != tensors.IMAGE:
            self.images.add(name)
        self.samples[name] = np.append(self.samples.get(name, []), chosen)
        height, width = KERNEL_SIZES.get(name, (3, 3))
        rows = self._random.integers(max(1, value.shape[1] - height + 1), size=PATCHES)
        columns = self._random.integers(max(1, value.shape[2] - width + 1), size=PATCHES)
        values = value.numpy()[0]
        patches = [
            values[i : i + height, j : j + width].ravel()
            for i, j in zip(rows, columns, strict=True)
        ]
        if name not in tensors.GAINS:
            self._patches.setdefault(name, []).append(np.array(patches))
        return value


def floating_tensors(
    exact: Callable[[tf.Tensor], tf.Tensor],
    body: Body,
    observed: Observed,
    head: str,
    crops: Iterable[np.ndarray],
    *,
    wanted: float,
) -> set[str]:
    """Choose the tensors that stay in floating point.

    These are images and their phases, and what the convolutions read that compute an image: their
    rounding is seen most. Then those follow, one by one, whose rounding costs most, until the
    accuracy is reached.

    Args:
        exact: the head in floating point, a function of float32 [1, H, W, 3].
        body: the passes, with the kernels that the file will have, before the last convolution,
            which is in floating point.
        observed: the ranges of its tensors.
        head: "enhance" or "upscale".
        crops: uint8 [H, W, 3], on which the accuracy is measured, with outputs clipped to [0, 1].
        wanted: the PSNR, in dB, of the output against that of ``exact``.

    Returns:
        The names of the tensors.
    """
    kernels, pinned = kernels_of(body), pins(observed)
    inputs = [tf.constant(crop[None] / 255, tf.float32) for crop in crops]
    wanted_outputs = [tf.clip_by_value(exact(x), 0, 1) for x in inputs]
    floating = observed.images | image_sources(body)
    known = observed.samples.keys() - floating
    others = [each.name for each in body.passes if each.name in known]

    def decibels(names: set[str]) -> float:
        visit = lambda name, value: value if name in names else pinned(name, value)  # noqa: E731
        outputs = (traced_head(body, head, x, kernels, visit) for x in inputs)
        errors = [
            tf.reduce_mean((tf.clip_by_value(output, 0, 1) - expected) ** 2)
            for output, expected in zip(outputs, wanted_outputs, strict=True)
        ]
        return -10 * np.log10(max(np.mean(errors), 1e-20))

    while others and decibels(floating) < wanted:
        worst = max(others, key=lambda name: decibels(floating | {name}))
        floating.add(worst)
        others.remove(worst)
    return floating


def pins(observed: Observed, floating: Set[str] = frozenset()) -> Visit:
    """Return a ``visit`` for ``traced_head`` that fixes the 8-bit ranges of tensors.

    It does so by fake quantization, which the converter heeds.

    Args:
        observed: what the tensors hold.
        floating: names of tensors that are left in floating point.
    """
    samples = observed.samples
    ranges = {name: range_of_least_error(values) for name, values in samples.items()}
    # The integers of images are levels.
    levels = (tensors.IMAGE, tensors.SEGMENTS, tensors.OUTPUT, tensors.OUTPUT_PHASES)
    ranges |= dict.fromkeys(levels, (0.0, 1.0))
    # Inside the image the gain is 1. That must be a level, and the lines must pass it unchanged.
    for name in tensors.GAINS:
        ranges[name] = (0.0, float(255 / np.floor(255 / samples[name].max())))
    ranges[tensors.NORMED_COLUMNS] = ranges[tensors.COLUMNS]
    ranges[tensors.LINES] = (0.0, float(1 / samples[tensors.GAIN_OF_ROWS].min()))

    def visit(name: str, value: tf.Tensor) -> tf.Tensor:
        # The input of the last convolution repeats tensors that have their range.
        if name == tensors.HEAD_INPUT or name in floating:
            return value
        return tf.quantization.fake_quant_with_min_max_args(value, *map(float, ranges[name]))

    return visit


def range_of_least_error(values: np.ndarray) -> tuple[float, float]:
    """Return the range of least squared error in 8 bits, with 0 in it.

    It may be shorter than from the least to the largest value: one bright outlier would coarsen
    the quantization step.
    """

    def error(low: float, high: float) -> float:
        step = (high - low) / 255
        zero = np.rint(-low / step)
        rounded = step * (np.clip(np.rint(values / step) + zero, 0, 255) - zero)
        return float(np.mean((rounded - values) ** 2))

    best = low, high = min(0.0, values.min()), max(1e-3, values.max())
    shares = np.linspace(1, 0.2, 33)
    for _ in range(2):
        best = min(((share * low, best[1]) for share in shares), key=lambda r: error(*r))
        best = min(((best[0], share * high) for share in shares), key=lambda r: error(*r))
    return best


def integer_body(body: Body, observed: Observed, images: bool) -> Body:
    """Return a body with its kernels on the steps that the converter will use.

    Args:
        body: the passes in floating point.
        observed: what its tensors hold.
        images: whether to round the kernels of the convolutions that compute an image, too.
    """
    sources = sources_of_convolutions(body)

    def rounded(each: Pass) -> Pass:
        if not isinstance(each, Convolution) or not (images or each.channels > IMAGE_CHANNELS):
            return each
        moment, mean = (of[sources[each.name]] for of in (observed.moments, observed.means))
        kernel = rounded_kernel(each.kernel, largest_weights(each.kernel), moment)
        bias = each.bias - _shift(kernel - each.kernel, mean)
        return dataclasses.replace(each, kernel=kernel, bias=bias)

    return body._replace(passes=tuple(map(rounded, body.passes)))


def integer_kernels(
    body: Body, observed: Observed, segmented: bool, transposed: bool = False
) -> Kernels:
    """Return the kernels behind the body on the steps that the converter will use.

    Args:
        body: the passes before them, in floating point.
        observed: what its tensors hold.
        segmented: as for ``traced_head``.
        transposed: likewise.
    """
    kernels = kernels_of(body, segmented)
    name = tensors.SEGMENTED_INPUT if segmented else tensors.HEAD_INPUT
    largest = largest_weights(kernels.head)
    if transposed:  # one step for all four phases of a colour
        largest = np.tile(largest.reshape(4, 3).max(0), 4)
    head = rounded_kernel(kernels.head, largest, observed.moments[name])
    bias = kernels.bias - _shift(head - kernels.head, observed.means[name])
    columns, rows = (
        rounded_kernel(kernel, largest_weights(kernel), observed.moments[source], keep_sums=True)
        for kernel, source in (
            (kernels.columns, tensors.PHASES),
            (kernels.rows, tensors.NORMED_COLUMNS),
        )
    )
    return Kernels(head, bias, columns, rows)


def largest_weights(kernel: np.ndarray) -> np.ndarray:
    """Return the largest absolute weight for each output, [out], of a kernel [h, w, in, out]."""
    return np.abs(kernel).max((0, 1, 2))


def _shift(change: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return how far a change of a kernel, [h, w, in, out], moves the mean of its output, [out]."""
    return (means @ change.reshape(-1, change.shape[-1])).astype(np.float32)


def rounded_kernel(
    kernel: np.ndarray, largest: np.ndarray, moment: np.ndarray, keep_sums: bool = False
) -> np.ndarray:
    """Round ``kernel`` [h, w, in, out] to steps of ``largest`` [out] / 127.

    From the nearest steps on, single weights go up or down by one step as long as that lowers the
    mean squared error of the output.

    Args:
        kernel: the weights in floating point.
        largest: at least the largest absolute weight for each output.
        moment: second moments of the patches that the kernel reads,
            [h * w * in, h * w * in].
        keep_sums: change the steps by the factor that makes the sums over each output exact, so
            that flat areas keep their level.
    """
    step = np.maximum(largest, 1e-12) / 127
    exact = (kernel / step).reshape(-1, kernel.shape[-1]).astype(np.float64)
    levels, diagonal = np.rint(exact), np.diag(moment)
    for taps, wanted in zip(levels.T, exact.T, strict=True):
        slope = moment @ (taps - wanted)
        fixed = (wanted == 0) | (np.abs(taps) == 127)  # the largest weight sets the step
        while True:
            signs = np.where(slope > 0, -1, 1)
            change = np.where(fixed, 0, 2 * signs * slope + diagonal)
            best = change.argmin()
            if change[best] >= -1e-9 * diagonal.max():
                break
            taps[best] += signs[best]
            slope += signs[best] * moment[:, best]
            fixed |= np.abs(taps) == 127
    if keep_sums:
        share = exact.sum(0) / np.where(levels.sum(0), levels.sum(0), np.inf)
        step = step * np.where(np.abs(share - 1) < MOST_CHANGE, share, 1)
    return (levels.reshape(kernel.shape) * step).astype(np.float32)
