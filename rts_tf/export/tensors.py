"""The names of the tensors that a head computes on the way, besides those of the network's layers.

``traced.traced_head`` and ``downscale.halved`` call their visitor with these names (and with the
names of the layers), and ``quantization`` keeps its samples and ranges by them.
"""

IMAGE = "image"  # the input, [1, H, W, 3] in [0, 1]
SEGMENTS = "segments"  # the image residual of Fig. 3 in four non-negative pieces, [1, H, W, 12]
HEAD_INPUT = "head_input"  # what the last convolution reads: a repetition of other tensors
SEGMENTED_INPUT = "segmented_input"  # the same where it consists of image and segments
OUTPUT = "output"  # of the head

# Of "upscale".
OUTPUT_PHASES = "output_phases"  # the four phases of the enlarged image, before the pixel shuffle
ENLARGED = "enlarged"  # the output of the transposed convolution, with two border pixels a side

# Of d() in "enhance", in this order.
PHASES = "phases"  # the four phases of the enlarged image, which d() reads
COLUMNS = "columns"  # reduced along the lines
GAIN_OF_COLUMNS = "gain_of_columns"  # 1 inside the image, more where the kernel leaves it
NORMED_COLUMNS = "normed_columns"  # COLUMNS times their gain
LINES = "lines"  # reduced across the lines too
GAIN_OF_ROWS = "gain_of_rows"

GAINS = (GAIN_OF_COLUMNS, GAIN_OF_ROWS)
