"""The two heads that are exported, and a pass over them that shows or replaces every tensor.

"upscale" is SR(x), twice the size of x. "enhance" is d(SR(x)), of the size of x (section 3.1,
Phase B).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.errors import ConfigError
from rts_tf.export import tensors
from rts_tf.export.downscale import block_of, halved, halving_kernels
from rts_tf.images.resample import D_RADIUS
from rts_tf.inference import enhancement
from rts_tf.networks.borders import repeat_border, with_repeated_border, without_border
from rts_tf.networks.layers import EdgePadding, PixelShuffle

IMAGE_CHANNELS = 12  # a tensor of at most this many channels is an image, or its four phases
SEGMENTS = 4  # the pieces that the image residual is passed on in, see ``traced_head``

# Called with the name and the value of a tensor; returns the value to go on with.
Visit = Callable[[str, tf.Tensor], tf.Tensor]


class Kernels(NamedTuple):
    """The kernels behind the network's body: those of its last convolution and of d()."""

    head: np.ndarray  # [3, 3, C, 12]
    bias: np.ndarray  # [12]
    columns: np.ndarray  # [1, 7, 12, 6]
    rows: np.ndarray  # [7, 1, 6, 3]


def kernels_of(network: keras.Model, segmented: bool = False) -> Kernels:
    """Return the kernels of a network that ends with a convolution and a 2x PixelShuffle.

    Args:
        network: one of this package's, such as residual1.
        segmented: whether the last convolution reads image and segments instead of their sum (see
            ``traced_head``).

    Raises:
        ValueError: if the network ends otherwise.
    """
    kernel, bias = _last_convolution(network).get_weights()
    if segmented and _image_residual(network):
        kernel = np.concatenate([kernel, kernel, -kernel, kernel, -kernel], axis=2)
    return Kernels(kernel, bias, *halving_kernels())


def body_layers(network: keras.Model) -> dict[str, str]:
    """Return the convolutions before the last one, each with the tensor that it reads.

    Returns:
        By layer name the name under which ``traced_head`` visits the input of the layer.
    """
    names = {id(network.inputs[0]): tensors.IMAGE}
    names |= {id(layer.output): layer.name for layer in network.layers[1:]}
    body = [layer for layer in network.layers[:-2] if isinstance(layer, keras.layers.Conv2D)]
    return {layer.name: names[id(_inputs(layer)[0])] for layer in body}


def image_sources(network: keras.Model) -> set[str]:
    """Return the names of the tensors from which convolutions compute an image or its phases."""
    made = {id(layer.output): layer for layer in network.layers}
    sources = set()
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.filters <= IMAGE_CHANNELS:
            source = made[id(_inputs(layer)[0])]
            if isinstance(source, EdgePadding):
                source = made[id(_inputs(source)[0])]
            sources.add(source.name)
    return sources


def head_function(network: keras.Model, head: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return SR(x) ("upscale") or d(SR(x)) ("enhance") as a function.

    Returns:
        A function from float32 [batch, H, W, 3] to float32 [batch, 2H, 2W, 3] or
        [batch, H, W, 3], nominally in [0, 1] and not clipped.
    """
    return enhancement(network) if head == "enhance" else with_repeated_border(network)


def receptive_radius(network: keras.Model, head: str) -> int:
    """Return the input pixels on each side on which an output pixel of ``head`` depends.

    Tiles must overlap by it.
    """
    return networks.receptive_radius(network) + (D_RADIUS if head == "enhance" else 0)


def macs_per_pixel(network: keras.Model, head: str, segmented: bool = False) -> int:
    """Return the MACs by weights of ``head`` for each input pixel.

    Those of d() are the ones of its two convolutions over the four phases (``halving_kernels``).

    Args:
        network: the network, SR of the paper.
        head: "enhance" or "upscale".
        segmented: as for ``traced_head``.

    Raises:
        ValueError: if a layer does not tell its size (``rts_tf.networks.geometry``).
    """
    macs = networks.macs_per_pixel(network)
    residual = _image_residual(network) if segmented else None
    if residual:
        kernel = residual[0].get_weights()[0]
        last, *_ = _last_convolution(network).get_weights()
        macs += (SEGMENTS - 1) * kernel.size + SEGMENTS * last.size
    if head == "enhance":
        macs += sum(kernel.size for kernel in halving_kernels())
    return macs


def macs_of_frame(
    network: keras.Model, head: str, height: int, width: int, segmented: bool = False
) -> int:
    """Return the MACs by weights of ``head`` on a frame, with those on its repeated border.

    The arguments and errors are those of ``macs_per_pixel``.
    """
    border = networks.receptive_radius(network)
    of_d = sum(kernel.size for kernel in halving_kernels()) if head == "enhance" else 0
    of_network = macs_per_pixel(network, head, segmented) - of_d
    return of_network * (height + 2 * border) * (width + 2 * border) + of_d * height * width


def can_be_traced(network: keras.Model) -> bool:
    """Return whether ``traced_head`` can follow the network.

    It can if a convolution stands right before a final pixel shuffle.
    """
    *_, before, last = network.layers
    return isinstance(last, PixelShuffle) and isinstance(before, keras.layers.Conv2D)


def check_network(network: keras.Model, formats: Iterable[str], precisions: Iterable[str]) -> None:
    """Check that the network has TFLite files of the ``precisions``, if ``formats`` has TFLite.

    Raises:
        ConfigError: if it does not; the message says what to leave out.
    """
    if "tflite" not in formats:
        return
    if not isinstance(network.layers[-1], PixelShuffle):
        raise ConfigError(
            "`formats`=tflite: needs a network that ends in a pixel shuffle, since d() of a doubled"
            f" image is not built into TFLite; export {network.name} with `formats`=saved_model."
        )
    integers = [precision for precision in precisions if precision.startswith("int")]
    if integers and not can_be_traced(network):
        raise ConfigError(
            f"`precisions`={','.join(integers)}: integers need a convolution right before the pixel"
            f" shuffle, as in residual1, 3 and 6; export {network.name} with"
            " `precisions`=float32,dynamic,float16."
        )


def _unchanged(name: str, value: tf.Tensor) -> tf.Tensor:
    return value


def traced_head(
    network: keras.Model,
    head: str,
    image: tf.Tensor,
    kernels: Kernels,
    visit: Visit = _unchanged,
    *,
    segmented: bool = False,
    transposed: bool = False,
    blocked: bool = False,
) -> tf.Tensor:
    """Compute the same as ``head_function`` on one image of fixed size, step by step.

    Args:
        network: a network that ``can_be_traced``.
        head: "enhance" or "upscale".
        image: float32 [1, H, W, 3].
        kernels: used in place of the network's own; ``kernels_of(network, segmented)`` changes
            nothing.
        visit: is called with the name (``rts_tf.export.tensors``, or the layer's) and the value of
            every tensor on the way, and returns the value to go on with.
        segmented: pass the residual of Fig. 3 on beside the image instead of adding it. It is
            split into its positive and its negative part, and each of these into a piece for 0..1
            and one for 1..2, so that integers of the image's own steps hold them. As one number
            of -2..2 it would have steps four times as large, and so would the sum, the sharpest
            of all tensors.
        transposed: enlarge by a transposed convolution, for devices without DEPTH_TO_SPACE. That
            has one bias for each colour, the mean over the four phases; in trained networks they
            differ by a tenth of a level.
        blocked: pass several pixels of a line through d() together; ``visit`` then sees the
            tensors of d() in that shape.

    Returns:
        float32 [1, 2H, 2W, 3] for "upscale", [1, H, W, 3] for "enhance".
    """
    width, last = image.shape[2], _last_convolution(network)
    border = networks.receptive_radius(network)
    image = repeat_border(visit(tensors.IMAGE, image), border)
    x = visit(tensors.HEAD_INPUT, _traced_body(network, image, visit, segmented))
    if head == "upscale" and transposed:
        enlarged = without_border(_enlarged(x, kernels, visit), 2 * border)
        return visit(tensors.OUTPUT, enlarged)
    phases = tf.nn.conv2d(x, kernels.head, strides=1, padding=last.padding.upper()) + kernels.bias
    phases = without_border(phases, border)
    if head == "upscale":
        phases = visit(tensors.OUTPUT_PHASES, phases)
        return visit(tensors.OUTPUT, tf.nn.depth_to_space(phases, 2))
    block = block_of(width) if blocked else 1
    return halved(visit(tensors.PHASES, phases), kernels.columns, kernels.rows, visit, block)


def _traced_body(
    network: keras.Model, image: tf.Tensor, visit: Visit, segmented: bool
) -> tf.Tensor:
    """Return what the last convolution reads, layer by layer; the arguments are traced_head's."""
    values, last = {id(network.inputs[0]): image}, _last_convolution(network)
    source, total = (_image_residual(network) if segmented else None) or (None, None)
    for layer in network.layers[1 : network.layers.index(last)]:
        inputs = [values[id(tensor)] for tensor in _inputs(layer)]
        if layer is source:
            value = visit(tensors.SEGMENTS, _segments(layer, inputs[0]))
        elif layer is total:
            value = tf.concat([image, *(x for x in inputs if x is not image)], axis=-1)
        elif isinstance(layer, EdgePadding):
            value = repeat_border(inputs[0], 1)
        else:
            value = visit(layer.name, layer(inputs if len(inputs) > 1 else inputs[0]))
        values[id(layer.output)] = value
    return values[id(_inputs(last)[0])]


def _image_residual(network: keras.Model) -> tuple[keras.layers.Conv2D, keras.layers.Add] | None:
    """Find the convolution whose output is added to the image itself, and the sum.

    The sum is the "blue layer" of Fig. 3.
    """
    image, made = network.inputs[0], {id(layer.output): layer for layer in network.layers[1:]}
    for layer in network.layers:
        if isinstance(layer, keras.layers.Add) and any(t is image for t in _inputs(layer)):
            (source,) = (made[id(tensor)] for tensor in _inputs(layer) if tensor is not image)
            return source, layer
    return None


def _segments(layer: keras.layers.Conv2D, x: tf.Tensor) -> tf.Tensor:
    """Split the output r of the convolution into four pieces of 0..1, [1, H, W, 12].

    They are min(relu(r), 1), min(relu(-r), 1), relu(r - 1) and relu(-r - 1).
    """
    kernel, bias = tf.convert_to_tensor(layer.kernel), tf.convert_to_tensor(layer.bias)
    kernels = tf.concat([kernel, -kernel] * (SEGMENTS // 2), axis=3)
    biases = tf.concat([bias, -bias, bias - 1, -bias - 1], axis=0)
    pieces = tf.nn.conv2d(x, kernels, strides=1, padding=layer.padding.upper()) + biases
    return tf.minimum(tf.nn.relu(pieces), 1.0)


def _enlarged(x: tf.Tensor, kernels: Kernels, visit: Visit) -> tf.Tensor:
    """The last convolution and the pixel shuffle as one transposed convolution of stride 2."""
    kernel = np.zeros((6, 6, 3, x.shape[-1]), np.float32)
    for row in range(2):
        for column in range(2):
            phase = kernels.head[..., 3 * (2 * row + column) :][..., :3]
            kernel[row::2, column::2] = phase[::-1, ::-1].swapaxes(2, 3)
    _, height, width, _ = x.shape
    y = tf.nn.conv2d_transpose(x, kernel, [1, 2 * height, 2 * width, 3], strides=2, padding="SAME")
    # x is padded by the pixel that the convolution uses up: two enlarged pixels on every side.
    return visit(tensors.ENLARGED, y)[:, 2:-2, 2:-2] + kernels.bias.reshape(4, 3).mean(0)


def _inputs(layer: keras.layers.Layer) -> list:
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _last_convolution(network: keras.Model) -> keras.layers.Conv2D:
    if not can_be_traced(network):
        raise ValueError("the network does not end with a convolution and a 2x PixelShuffle")
    return network.layers[-2]
