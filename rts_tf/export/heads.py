"""The two heads that are exported, and one pass over them in which every tensor can be looked at or replaced."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError
from rts_tf.export.downscale import block_of, halved, halving_kernels
from rts_tf.inference import D_RADIUS, enhancement
from rts_tf.networks import receptive_radius
from rts_tf.networks.layers import EdgePadding, PixelShuffle

OUTPUT = {"enhance": "enhanced", "upscale": "upscaled"}
SCALE = {"enhance": 1, "upscale": 2}
PICTURE_CHANNELS = 12  # a tensor of at most this many channels is a picture, or its four phases
Visit = Callable[[str, tf.Tensor], tf.Tensor]


class Kernels(NamedTuple):
    """The kernels behind the network's body: its last convolution, and d()'s two."""

    head: np.ndarray  # [3, 3, C, 12]
    bias: np.ndarray  # [12]
    columns: np.ndarray  # [1, 7, 12, 6]
    rows: np.ndarray  # [7, 1, 6, 3]


def kernels_of(network: keras.Model, segmented: bool = False) -> Kernels:
    """The kernels of a network of this package, which ends with a convolution and a 2x PixelShuffle.

    ``segmented``: the convolution reads picture and segments (see ``traced_head``) instead of their sum.
    """
    kernel, bias = _head_layer(network).get_weights()
    if segmented and _residual(network):
        kernel = np.concatenate([kernel, kernel, -kernel, kernel, -kernel], axis=2)
    return Kernels(kernel, bias, *halving_kernels())


def body_layers(network: keras.Model) -> dict[str, str]:
    """The convolutions before the last one, each with the name under which ``traced_head`` visits its input."""
    names = {id(network.inputs[0]): "image"} | {
        id(layer.output): layer.name for layer in network.layers[1:]
    }
    body = [layer for layer in network.layers[:-2] if isinstance(layer, keras.layers.Conv2D)]
    return {layer.name: names[id(_inputs(layer)[0])] for layer in body}


def image_sources(network: keras.Model) -> set[str]:
    """The names of the tensors that are read by the convolutions which put out a picture or its four phases."""
    made, sources = {id(layer.output): layer for layer in network.layers}, set()
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.filters <= PICTURE_CHANNELS:
            source = made[id(_inputs(layer)[0])]
            sources.add(
                (made[id(_inputs(source)[0])] if isinstance(source, EdgePadding) else source).name
            )
    return sources


def head_function(network: keras.Model, head: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """SR(x) ("upscale") or d(SR(x)) ("enhance"): float32 [batch, H, W, 3] -> [batch, 2H, 2W, 3] or [batch, H, W, 3]."""
    return (
        enhancement(network)
        if head == "enhance"
        else lambda images: network(images, training=False)
    )


def radius_of(network: keras.Model, head: str) -> int:
    """Input pixels on each side on which an output pixel of the head depends: what tiles must overlap by."""
    return receptive_radius(network) + (D_RADIUS if head == "enhance" else 0)


def can_be_traced(network: keras.Model) -> bool:
    """Whether ``traced_head`` can follow it: a convolution stands right before the pixel shuffle."""
    *_, before, last = network.layers
    return isinstance(last, PixelShuffle) and isinstance(before, keras.layers.Conv2D)


def check_network(network: keras.Model, formats: Iterable[str], precisions: Iterable[str]) -> None:
    """Raise ConfigError, saying what to leave out, where a network has no TFLite file of the ``precisions`` ordered."""
    if "tflite" not in formats:
        return
    if not isinstance(network.layers[-1], PixelShuffle):
        raise ConfigError(
            f"--formats=tflite: needs a network that ends in a pixel shuffle, since d() of a doubled picture is not built into"
            f" TFLite; export {network.name} with --formats=saved_model."
        )
    integers = [precision for precision in precisions if precision.startswith("int")]
    if integers and not can_be_traced(network):
        raise ConfigError(
            f"--precisions={','.join(integers)}: integers need a convolution right before the pixel shuffle, as in"
            f" residual1, 3 and 6; export {network.name} with --precisions=float32,dynamic,float16."
        )


def traced_head(
    network: keras.Model,
    head: str,
    image: tf.Tensor,
    kernels: Kernels,
    visit: Visit = lambda name, value: value,
    segmented: bool = False,
    transposed: bool = False,
    blocked: bool = False,
) -> tf.Tensor:
    """The same as ``head_function`` on one picture of fixed size, step by step.

    Args:
        image: float32 [1, H, W, 3].
        kernels: used in place of the network's own; ``kernels_of(network, segmented)`` changes nothing.
        visit: called with the name and the value of every tensor on the way; what it returns goes on.
        segmented: pass the residual of Fig. 3 on not added to the picture but beside it, its positive and its negative part
            in two pieces each, of 0..1 and of 1..2, and so in integers of the picture's own steps. Rounded as one number
            of -2..2 its steps would be four times as large, and those of the sum, the sharpest of all tensors, too.
        transposed: let a transposed convolution enlarge, where there is no DEPTH_TO_SPACE. It has one bias a colour, the
            mean of those of the four phases; in trained networks they differ by a tenth of a level.
        blocked: let several pixels of a line go through d() together; ``visit`` then sees its tensors in that shape.
    """
    picture = visit("image", image)
    values, last = {id(network.inputs[0]): picture}, _head_layer(network)
    residual = _residual(network) if segmented else None
    for layer in network.layers[1 : network.layers.index(last)]:
        inputs = [values[id(tensor)] for tensor in _inputs(layer)]
        if residual and layer is residual[0]:
            values[id(layer.output)] = visit("segments", _segments(layer, inputs[0]))
        elif residual and layer is residual[1]:
            values[id(layer.output)] = tf.concat(
                [picture, *(x for x in inputs if x is not picture)], axis=-1
            )
        elif isinstance(layer, EdgePadding):
            values[id(layer.output)] = _edge(inputs[0])
        else:
            values[id(layer.output)] = visit(
                layer.name, layer(inputs if len(inputs) > 1 else inputs[0])
            )
    x = visit("head_input", values[id(_inputs(last)[0])])
    if head == "upscale" and transposed:
        return visit("output", _enlarge(visit, x, kernels))
    phases = tf.nn.conv2d(x, kernels.head, strides=1, padding=last.padding.upper()) + kernels.bias
    if head == "upscale":
        return visit("output", tf.nn.depth_to_space(visit("output_phases", phases), 2))
    block = block_of(image.shape[2]) if blocked else 1
    return halved(visit("phases", phases), kernels.columns, kernels.rows, visit, block)


def _residual(network: keras.Model) -> tuple[keras.layers.Conv2D, keras.layers.Add] | None:
    """The convolution whose output is added to the picture itself (the "blue layer" of Fig. 3), and the sum."""
    picture, made = network.inputs[0], {id(layer.output): layer for layer in network.layers[1:]}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Add) and any(
            tensor is picture for tensor in _inputs(layer)
        ):
            (source,) = (made[id(tensor)] for tensor in _inputs(layer) if tensor is not picture)
            return source, layer
    return None


def _segments(layer: keras.layers.Conv2D, x: tf.Tensor) -> tf.Tensor:
    """[1, H, W, 12]: relu(r), relu(-r), relu(r - 1), relu(-r - 1), the first two up to 1, of the convolution's r."""
    kernel, bias = tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias)
    kernels, biases = (
        tf.concat([kernel, -kernel] * 2, axis=3),
        tf.concat([bias, -bias, bias - 1, -bias - 1], axis=0),
    )
    return tf.minimum(
        tf.nn.relu(tf.nn.conv2d(x, kernels, strides=1, padding=layer.padding.upper()) + biases), 1.0
    )


def _edge(x: tf.Tensor) -> tf.Tensor:
    """EdgePadding by slices: MIRROR_PAD is slow in LiteRT, and many an NPU does not have it."""
    x = tf.concat([x[:, :1], x, x[:, -1:]], axis=1)
    return tf.concat([x[:, :, :1], x, x[:, :, -1:]], axis=2)


def _enlarge(visit: Visit, x: tf.Tensor, kernels: Kernels) -> tf.Tensor:
    """The 3x3 convolution to four phases and the pixel shuffle as one 6x6 transposed convolution of stride 2."""
    kernel = np.zeros((6, 6, 3, x.shape[-1]), np.float32)
    for row in range(2):
        for column in range(2):
            phase = kernels.head[..., 3 * (2 * row + column) :][..., :3]
            kernel[row::2, column::2] = phase[::-1, ::-1].swapaxes(2, 3)
    _, height, width, _ = x.shape
    y = tf.nn.conv2d_transpose(x, kernel, [1, 2 * height, 2 * width, 3], strides=2, padding="SAME")
    # x is padded by the pixel that the convolution uses up: two of the enlarged picture on every side.
    return visit("enlarged", y)[:, 2:-2, 2:-2] + kernels.bias.reshape(4, 3).mean(0)


def _inputs(layer: keras.layers.Layer) -> list:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _head_layer(network: keras.Model) -> keras.layers.Conv2D:
    if not can_be_traced(network):
        raise ValueError("the network does not end with a convolution and a 2x PixelShuffle")
    return network.layers[-2]
