"""Writes the SavedModel for TensorFlow Serving, whose graph decodes and checks the images itself.

It has five signatures:

    serving_default   image_bytes [batch], JPEG or PNG files of any sizes -> enhanced_bytes [batch],
                      PNG files
    enhance, upscale              images uint8 [batch, H, W, 3] -> enhanced, upscaled, uint8
    enhance_float, upscale_float  images float32 [batch, H, W, 3] in [0, 1] -> float32, not clipped

An image goes through the network in strips, so that the memory depends neither on its size nor on
the batch. Strips overlap by the receptive radius, so the result is that of the whole image, up to
the float32 rounding of the convolutions.
"""

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rts_tf.export import HEADS, MAX_PIXELS, OUTPUT_NAME, SCALE
from rts_tf.export.archive import archive
from rts_tf.export.headers import jpeg_header, png_header, upright
from rts_tf.export.heads import head_function, receptive_radius

STRIP_PIXELS = 2**18  # 64 channels of them are 67 MB
# Of PNG: 1080p takes .16 s and 3.3 MB. TensorFlow's own choice takes 1.77 s, longer than the
# network, and 2.9 MB.
COMPRESSION = 1
WARMUP_SIDE = 64  # pixels
_SEND_PIXELS = "flatten or convert it, or send its pixels to the signature enhance"

Endpoint = Any  # a tf.function with an input signature


def write_saved_model(network: keras.Model, directory: pathlib.Path) -> bool:
    """Write the SavedModel of ``network`` into ``directory``, which is made.

    Returns:
        Whether it has warm-up requests. They need the package tensorflow-serving-api (the extra
        "serving").
    """
    endpoints = {"serving_default": _for_files(network)}
    for head in HEADS:
        endpoints |= {head: _for_levels(network, head), f"{head}_float": _for_floats(network, head)}
    archive(network, endpoints, directory)
    return _write_warmup(directory / "assets.extra" / "tf_serving_warmup_requests")


def _for_files(network: keras.Model) -> Endpoint:
    """The signature for files in JPEG or PNG."""
    enhance = _in_strips(network, "enhance")

    def one(data: tf.Tensor) -> tf.Tensor:
        image = tf.image.convert_image_dtype(_decode(data), tf.float32)[None]
        return tf.io.encode_png(_to_levels(enhance(image))[0], compression=COMPRESSION)

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        files = _shaped(image_bytes, [None], "image_bytes must have the shape [batch], not")
        return {
            "enhanced_bytes": tf.map_fn(
                one, files, parallel_iterations=1, fn_output_signature=tf.string
            )
        }

    return tf.function(serve, [tf.TensorSpec([None], tf.string, name="image_bytes")])


def _for_levels(network: keras.Model, head: str) -> Endpoint:
    """The signature of a head for uint8."""
    function = _in_strips(network, head)

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        images = tf.image.convert_image_dtype(_checked(images), tf.float32)
        return {OUTPUT_NAME[head]: _to_levels(function(images))}

    return tf.function(serve, [tf.TensorSpec([None, None, None, 3], tf.uint8, name="images")])


def _for_floats(network: keras.Model, head: str) -> Endpoint:
    """The signature of a head for float32."""
    function = _in_strips(network, head)

    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT_NAME[head]: function(_checked(images))}

    return tf.function(serve, [tf.TensorSpec([None, None, None, 3], tf.float32, name="images")])


def _to_levels(images: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(images * 255), 0, 255), tf.uint8)


def _in_strips(network: keras.Model, head: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a head on images [batch, H, W, 3] that goes strip by strip.

    Each strip is read with as many lines around it as the receptive radius.
    """
    function, scale = head_function(network, head), SCALE[head]
    radius = receptive_radius(network, head)

    def run(images: tf.Tensor) -> tf.Tensor:
        batch, height, width = tf.unstack(tf.shape(images)[:3])
        rows = tf.clip_by_value(STRIP_PIXELS // width, 1, height)
        count = (height + rows - 1) // rows
        length = tf.minimum(height, rows + 2 * radius)

        def strip(i: tf.Tensor, strips: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            image, start = i // count, i % count * rows
            first = tf.clip_by_value(start - radius, 0, height - length)
            result = function(images[image : image + 1, first : first + length])
            stop = tf.minimum(height, start + rows)
            inner = result[0, scale * (start - first) : scale * (stop - first)]
            return i + 1, strips.write(i, inner)

        strips = tf.TensorArray(
            tf.float32, batch * count, infer_shape=False, element_shape=[None, None, 3]
        )
        _, strips = tf.while_loop(
            lambda i, _: i < batch * count, strip, (0, strips), parallel_iterations=1
        )
        return tf.reshape(strips.concat(), [batch, scale * height, scale * width, 3])

    return run


def _checked(images: tf.Tensor) -> tf.Tensor:
    """Return ``images`` once the graph has checked shape and size: [batch, H, W, 3], not empty."""
    images = _shaped(
        images, [None, None, None, 3], "images must have the shape [batch, height, width, 3], not"
    )
    shape = tf.shape(images)
    checks = [
        _check(tf.reduce_min(shape) > 0, "images must not be empty"),
        _check_size(shape[1], shape[2]),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(images)


def _shaped(tensor: tf.Tensor, shape: list[int | None], message: str) -> tf.Tensor:
    """Return ``tensor`` once the graph has checked that it has the ``shape`` of the signature.

    A server does not check that. The placeholder makes TensorFlow forget the shape, or it would
    leave the check out. EnsureShape would tell the remapper the rank: what that then fuses for
    oneDNN goes wrong where two runs meet (TensorFlow 2.15 and 2.21).
    """
    name = tensor.op.name.rsplit("/", 1)[-1]
    tensor = tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None), name=name)
    found = tf.shape(tensor)
    right = tf.equal(tf.size(found), len(shape))
    if shape[-1]:
        right &= tf.reduce_all(tf.equal(found[-1:], shape[-1]))
    with tf.control_dependencies([tf.debugging.Assert(right, [message, found], summarize=8)]):
        tensor = tf.identity(tensor)
    tensor.set_shape(shape)
    return tensor


def _check(condition: tf.Tensor, message: str) -> tf.Operation:
    """Return an operation that ends the request with InvalidArgument and ``message``."""
    return tf.debugging.Assert(condition, [message])


def _check_size(height: tf.Tensor, width: tf.Tensor) -> tf.Operation:
    pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
    return _check(
        pixels <= MAX_PIXELS,
        f"an image must not have more than {MAX_PIXELS} pixels; cut or reduce it first",
    )


def _decode(data: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG or PNG file to uint8 [H, W, 3], upright as EXIF says.

    The header must declare no more than MAX_PIXELS. Only with these two formats does the graph
    know the size before it decodes everything. What the decoders would drop is refused:
    transparency, 16 bits, all images of an animation but the first, the profile of CMYK.
    """
    length = tf.strings.length(data)
    start = lambda count: tf.strings.substr(data, 0, tf.minimum(count, length))  # noqa: E731
    png = tf.equal(start(8), b"\x89PNG\r\n\x1a\n")
    jpeg = tf.equal(start(3), b"\xff\xd8\xff")
    with tf.control_dependencies([_check(png | jpeg, "image_bytes must be JPEG or PNG files")]):
        return tf.cond(png, lambda: _decode_png(data), lambda: _decode_jpeg(data))


def _decode_png(data: tf.Tensor) -> tf.Tensor:
    whole = _check(tf.strings.length(data) >= 26, "image_bytes: a PNG file ends within its header")
    with tf.control_dependencies([whole]):
        header = png_header(data)
    checks = [
        _check_size(header.height, header.width),
        _check(header.bits <= 8, f"image_bytes: a PNG of 16 bits; {_SEND_PIXELS}_float"),
        _check(~header.animated, "image_bytes: a PNG is animated; send one image"),
    ]
    with tf.control_dependencies(checks):
        image = tf.cond(
            header.has_alpha,
            lambda: _decode_opaque(data),
            lambda: tf.io.decode_png(data, channels=3),
        )
    return upright(image, header.orientation)


def _decode_opaque(data: tf.Tensor) -> tf.Tensor:
    image = tf.io.decode_png(data, channels=4)
    opaque = _check(
        tf.reduce_all(tf.equal(image[..., 3], 255)),
        f"image_bytes: a PNG is transparent in places, and alpha is not kept; {_SEND_PIXELS}",
    )
    with tf.control_dependencies([opaque]):
        return image[..., :3]


def _decode_jpeg(data: tf.Tensor) -> tf.Tensor:
    height, width, channels = tf.unstack(tf.io.extract_jpeg_shape(data))
    header = jpeg_header(data)
    checks = [
        _check_size(height, width),
        _check(
            (channels <= 3) | ~header.has_profile,
            "image_bytes: a JPEG is CMYK with a profile, which is not applied; convert it to RGB",
        ),
    ]
    with tf.control_dependencies(checks):
        image = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
    return upright(image, header.orientation)


def _write_warmup(path: pathlib.Path) -> bool:
    """Write one request for each signature; a server runs them first, so no client waits for it.

    Returns:
        Whether it could: it needs the messages of TensorFlow Serving.
    """
    if importlib.util.find_spec("tensorflow_serving") is None:
        return False
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    image = np.tile(np.arange(WARMUP_SIDE, dtype=np.uint8)[None, :, None], (WARMUP_SIDE, 1, 3))
    requests: dict[str, tuple[str, Any]] = {
        "serving_default": ("image_bytes", [tf.io.encode_png(image).numpy()])
    }
    for head in HEADS:
        requests[head] = ("images", image[None])
        requests[f"{head}_float"] = ("images", image[None].astype(np.float32) / 255)
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, (name, value) in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "rts", signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
    return True
