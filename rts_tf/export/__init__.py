"""What the export is made of; ``rts_tf.export`` is the command. The names it takes are here, where TensorFlow is not loaded."""

FORMATS = ("saved_model", "tflite")
HEADS = ("enhance", "upscale")  # d(SR(x)), the size of x; SR(x), twice that
PRECISIONS = ("float32", "float16", "int8", "int8_float_residual", "int16x8", "dynamic")
MAX_PIXELS = (
    3840 * 2160
)  # of a picture that the SavedModel takes; a bomb declares more and is refused before it is decoded
