"""Integers in place of floating point: what the tensors hold on real crops, the ranges they get, kernels of eight bits.

Nothing is trained. A range is the one of least squared error. Kernels are rounded to the least squared error of their output,
the objective of GPTQ (Frantar et al. 2022), and biases take up what is left of it (Nagel et al. 2019, section 4.2).
"""

from collections.abc import Iterable, Set

import keras
import numpy as np
import tensorflow as tf

from rts_tf.export import HEADS
from rts_tf.export.heads import (
    PICTURE_CHANNELS,
    Kernels,
    Visit,
    body_layers,
    head_function,
    image_sources,
    kernels_of,
    traced_head,
)

SAMPLES = 4000  # values kept of a tensor and a crop
PATCHES = 400  # patches kept of a kernel's input and a crop
MOST_CHANGE = (
    0.01  # of a step, to meet a sum; where the weights of a kernel cancel, there is none to meet
)
KERNEL_SIZES = {
    "phases": (1, 7),
    "normed_columns": (7, 1),
}  # of what reads the tensor, where it is not 3x3


class Observed:
    """What the tensors of both heads hold on uint8 crops [H, W, 3], in floating point.

    Attributes:
        samples: values by tensor name.
        pictures: names of the tensors that are pictures or their phases, but for the picture that goes in.
        moments: mean of x x^T over the patches x that a kernel meets, by the name of its input tensor; ``means``: of x.
    """

    def __init__(self, network: keras.Model, crops: Iterable[np.ndarray]):
        self.samples: dict[str, np.ndarray] = {}
        self.pictures = {"segments"}
        self._patches: dict[str, list[np.ndarray]] = {}
        self._random = np.random.default_rng(0)
        for crop in crops:
            image = tf.constant(crop[None] / 255, tf.float32)
            for head in HEADS:
                traced_head(network, head, image, kernels_of(network), self._note)
            segments = lambda n, v: self._note("segmented_input", v) if n == "head_input" else v  # noqa: E731
            traced_head(
                network, "upscale", image, kernels_of(network, True), segments, segmented=True
            )
        patches = {
            name: np.concatenate(kept).astype(np.float64) for name, kept in self._patches.items()
        }
        self.moments = {name: x.T @ x / len(x) for name, x in patches.items()}
        self.means = {name: x.mean(0) for name, x in patches.items()}

    def _note(self, name: str, value: tf.Tensor) -> tf.Tensor:
        flat = value.numpy().ravel()
        chosen = flat[self._random.integers(flat.size, size=SAMPLES)]
        if (
            value.shape[-1] > PICTURE_CHANNELS
        ):  # what is cut off of a picture is mostly beyond white, here it is not
            chosen[:2] = flat.min(), flat.max()
        elif name != "image":
            self.pictures.add(name)
        self.samples[name] = np.append(self.samples.get(name, []), chosen)
        height, width = KERNEL_SIZES.get(name, (3, 3))
        rows = self._random.integers(max(1, value.shape[1] - height + 1), size=PATCHES)
        columns = self._random.integers(max(1, value.shape[2] - width + 1), size=PATCHES)
        values = value.numpy()[0]
        patches = [
            values[i : i + height, j : j + width].ravel()
            for i, j in zip(rows, columns, strict=True)
        ]
        if not name.startswith("gain"):
            self._patches.setdefault(name, []).append(np.array(patches))
        return value


def floating_tensors(
    network: keras.Model,
    body: keras.Model,
    observed: Observed,
    head: str,
    crops: Iterable[np.ndarray],
    wanted: float,
) -> set[str]:
    """The names of the tensors that stay in floating point for the output to have ``wanted`` dB against the network's.

    Pictures and their phases, and what the convolutions that make a picture read; of all tensors their rounding is seen most.
    Then, one after the other, what costs most, measured on uint8 ``crops`` [H, W, 3] with output clipped to [0, 1].
    ``body``: the network with the kernels that it will have.
    """
    kernels, pinned = kernels_of(network), pins(observed)
    images = [tf.constant(crop[None] / 255, tf.float32) for crop in crops]
    exact = [tf.clip_by_value(head_function(network, head)(image), 0, 1) for image in images]
    floating = observed.pictures | image_sources(network)
    others = [
        layer.name
        for layer in network.layers[1:]
        if layer.name in observed.samples.keys() - floating
    ]

    def decibels(names: set[str]) -> float:
        visit = lambda name, value: value if name in names else pinned(name, value)  # noqa: E731
        outputs = (traced_head(body, head, image, kernels, visit) for image in images)
        errors = [
            tf.reduce_mean((tf.clip_by_value(y, 0, 1) - x) ** 2)
            for y, x in zip(outputs, exact, strict=True)
        ]
        return -10 * np.log10(max(np.mean(errors), 1e-20))

    while others and decibels(floating) < wanted:
        worst = max(others, key=lambda name: decibels(floating | {name}))
        floating.add(worst)
        others.remove(worst)
    return floating


def pins(observed: Observed, floating: Set[str] = frozenset()) -> Visit:
    """A ``visit`` for ``traced_head`` that fixes the 8-bit range of tensors by a fake quantisation, which the converter heeds.

    ``floating``: names of tensors that are left in floating point.
    """
    samples = observed.samples
    ranges = {name: _range(values) for name, values in samples.items()}
    ranges |= dict.fromkeys(
        ("image", "segments", "output", "output_phases"), (0.0, 1.0)
    )  # their integers are levels
    # Inside the picture the gain is 1, which must be a level, and the lines must pass it as they are.
    gains = {
        name: (0.0, 255 / np.floor(255 / v.max()))
        for name, v in samples.items()
        if name.startswith("gain")
    }
    ranges |= gains | {
        "normed_columns": ranges["columns"],
        "lines": (0.0, 1 / samples["gain_of_rows"].min()),
    }

    def visit(name: str, value: tf.Tensor) -> tf.Tensor:
        if name == "head_input" or name in floating:  # the former repeats what is fixed
            return value
        return tf.quantization.fake_quant_with_min_max_args(value, *map(float, ranges[name]))

    return visit


def _range(values: np.ndarray) -> tuple[float, float]:
    """The range, 0 in it, of least squared error in 8 bits; from least to largest value a lamp would make all steps coarse."""

    def error(low: float, high: float) -> float:
        step = (high - low) / 255
        zero = np.rint(-low / step)
        return float(
            np.mean((step * (np.clip(np.rint(values / step) + zero, 0, 255) - zero) - values) ** 2)
        )

    best = low, high = min(0.0, values.min()), max(1e-3, values.max())
    for _ in range(2):
        best = min(
            ((share * low, best[1]) for share in np.linspace(1, 0.2, 33)), key=lambda r: error(*r)
        )
        best = min(
            ((best[0], share * high) for share in np.linspace(1, 0.2, 33)), key=lambda r: error(*r)
        )
    return best


def integer_body(network: keras.Model, observed: Observed, pictures: bool) -> keras.Model:
    """The network with the kernels of its body on the steps that the converter will use.

    ``pictures``: those of convolutions that put out a picture too.
    """
    made = keras.models.clone_model(network)
    made.set_weights(network.get_weights())
    for layer, source in body_layers(network).items():
        kernel, bias = made.get_layer(layer).get_weights()
        if pictures or kernel.shape[-1] > PICTURE_CHANNELS:
            rounded = _rounded(kernel, np.abs(kernel).max((0, 1, 2)), observed.moments[source])
            made.get_layer(layer).set_weights(
                [rounded, bias - _shift(rounded - kernel, observed.means[source])]
            )
    return made


def integer_kernels(
    network: keras.Model, observed: Observed, segmented: bool, transposed: bool = False
) -> Kernels:
    """The kernels behind the body on the steps that the converter will use; the flags as in traced_head."""
    kernels, name = kernels_of(network, segmented), "segmented_input" if segmented else "head_input"
    largest = np.abs(kernels.head).max((0, 1, 2))
    if transposed:  # one step for all four phases of a colour
        largest = np.tile(largest.reshape(4, 3).max(0), 4)
    head = _rounded(kernels.head, largest, observed.moments[name])
    bias = kernels.bias - _shift(head - kernels.head, observed.means[name])
    columns, rows = (
        _rounded(kernel, np.abs(kernel).max((0, 1, 2)), observed.moments[name], keep_sums=True)
        for kernel, name in ((kernels.columns, "phases"), (kernels.rows, "normed_columns"))
    )
    return Kernels(head, bias, columns, rows)


def _shift(change: np.ndarray, means: np.ndarray) -> np.ndarray:
    """[out] by which a ``change`` of a kernel [h, w, in, out] moves the mean of its output."""
    return (means @ change.reshape(-1, change.shape[-1])).astype(np.float32)


def _rounded(
    kernel: np.ndarray, largest: np.ndarray, moment: np.ndarray, keep_sums: bool = False
) -> np.ndarray:
    """``kernel`` [h, w, in, out] in steps of ``largest`` [out] / 127.

    From the nearest steps, single weights go up or down one, while that lowers the mean squared error of the output on
    patches with second moments ``moment`` [h * w * in, h * w * in].

    Args:
        keep_sums: change the step itself by what makes the sum over each output exact: flat areas then keep their level.
    """
    step = np.maximum(largest, 1e-12) / 127
    exact = (kernel / step).reshape(-1, kernel.shape[-1]).astype(np.float64)
    levels, diagonal = np.rint(exact), np.diag(moment)
    for taps, wanted in zip(levels.T, exact.T, strict=True):
        slope, fixed = (
            moment @ (taps - wanted),
            (wanted == 0) | (np.abs(taps) == 127),
        )  # the largest sets the step
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
