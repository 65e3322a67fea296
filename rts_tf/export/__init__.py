"""The choices that an export has: formats, heads and precisions. TensorFlow is not loaded here.

``python -m rts_tf.export`` is the command; spec.py says what is exported, pipeline.py makes it.
"""

FORMATS = ("saved_model", "tflite", "onnx", "shader", "page")
USUAL_FORMATS = ("saved_model", "tflite")  # unless others are asked for
HEADS = ("enhance", "upscale")  # d(SR(x)), of the size of x; SR(x), of twice that size
PRECISIONS = ("float32", "float16", "int8", "int8_float_residual", "int16x8", "dynamic")

SCALE = {"enhance": 1, "upscale": 2}  # output pixels a side for each input pixel
OUTPUT_NAME = {"enhance": "enhanced", "upscale": "upscaled"}  # of the output of a head's signature

# Pixels of the largest image that the SavedModel takes. A decompression bomb declares more and is
# refused before it is decoded.
MAX_PIXELS = 3840 * 2160
