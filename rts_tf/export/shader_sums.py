"""GLSL that sums up a convolution in a work group of a compute shader.

What the group reads goes through its shared memory, of which every GPU has 16 KiB. Weights are
literals in the code, or come as a texture: drivers need minutes for very many literals.
"""

import numpy as np

from rts_tf.export.shader_plan import Layer
from rts_tf.export.shader_text import CHANNELS, matrix, texture, vector

WIDTH, HEIGHT = 16, 8  # positions, and threads, of a work group
CHUNK = 4  # groups of channels that are in shared memory at a time, of 2.8 KiB each
MOST_LITERALS = 16_384


def table_name(layer: Layer) -> str:
    """The name of the texture of a layer's weights; empty if they are literals."""
    return f"{layer.name}_WEIGHTS" if layer.kernel.size > MOST_LITERALS else ""


def table(layer: Layer) -> str:
    """The texture of a layer's weights: one row for each group of channels read and each tap."""
    side = layer.kernel.shape[0]
    texels = [
        [_filled(layer.weights(i, j, source, group)) for group in range(layer.groups)]
        for source in range(layer.inputs)
        for i, j in np.ndindex(side, side)
    ]
    # [row, group, in, out]; a texel holds what one channel gives to four.
    return texture(table_name(layer), np.array(texels).reshape(len(texels), -1, CHANNELS))


def sum_of(layer: Layer, group: int) -> str:
    """GLSL for the sums of a group of channels, a vec4."""
    return f"s[{group}]" if table_name(layer) else f"s{group}"


def shared(layer: Layer) -> str:
    """GLSL that declares the shared memory."""
    if table_name(layer):
        return f"shared vec4 tile[{_tile_size(layer)}];\nshared vec4 weights[{_texels(layer)}];\n"
    return f"shared vec4 tile[{_tile_size(layer) * min(CHUNK, layer.inputs)}];\n"


def summed(layer: Layer) -> str:
    """GLSL that declares and computes the sums. It reads ``source``, ``base`` and ``local``."""
    start = f"""
    int thread = int(gl_LocalInvocationIndex);
    int at = local.y * {_row(layer)} + local.x;
    vec4 v;
"""
    return start + (_from_table(layer) if table_name(layer) else _from_literals(layer))


def _from_literals(layer: Layer) -> str:
    lines = [
        f"    vec4 s{group} = {vector(layer.biases(group))};\n" for group in range(layer.groups)
    ]
    side = layer.kernel.shape[0]
    for first in range(0, layer.inputs, CHUNK):
        count = min(CHUNK, layer.inputs - first)
        lines.append(_load(layer, f"{first} + g", count) + "    barrier();\n")
        for source in range(count):
            for i, j in np.ndindex(side, side):
                offset = source * _tile_size(layer) + i * _row(layer) + j
                lines.append(f"v=tile[at+{offset}];\n")
                for group in range(layer.groups):
                    weights = matrix(layer.weights(i, j, first + source, group))
                    lines.append(f"s{group}+={weights}*v;\n")
    return "".join(lines)


def _from_table(layer: Layer) -> str:
    side, texels = layer.kernel.shape[0], _texels(layer)
    biases = ",\n        ".join(vector(layer.biases(group)) for group in range(layer.groups))
    row = CHANNELS * layer.groups
    return f"""
    vec4 s[{layer.groups}] = vec4[](
        {biases});
    for (int group = 0; group < {layer.inputs}; group++) {{
{_load(layer, "group", 1)}
    for (int i = thread; i < {texels}; i += {WIDTH * HEIGHT})
        weights[i] = texelFetch({table_name(layer)},
            ivec2(i % {row}, group * {side**2} + i / {row}), 0);
    barrier();
    for (int tap = 0; tap < {side**2}; tap++) {{
        v = tile[at + tap / {side} * {_row(layer)} + tap % {side}];
        for (int i = 0; i < {layer.groups}; i++) {{
            int w = tap * {row} + {CHANNELS} * i;
            s[i] += weights[w] * v.x + weights[w + 1] * v.y
                + weights[w + 2] * v.z + weights[w + 3] * v.w;
        }}
    }}
    }}
"""


def _load(layer: Layer, group: str, count: int) -> str:
    """GLSL that brings groups of channels into ``tile``, one behind the other."""
    row, size = _row(layer), _tile_size(layer)
    return f"""
    barrier();
    for (int i = thread; i < {size}; i += {WIDTH * HEIGHT})
        for (int g = 0; g < {count}; g++)
            tile[g * {size} + i] = source(
                base + ivec2(i % {row}, i / {row}) - {layer.radius}, {group});
"""


def _filled(weights: np.ndarray) -> np.ndarray:
    """Fill up a matrix [in, out] to 4 x 4 with zeros."""
    inputs, outputs = weights.shape
    return np.pad(weights, ((0, CHANNELS - inputs), (0, CHANNELS - outputs)))


def _texels(layer: Layer) -> int:
    """Texels of the weights for one group of channels that is read."""
    return layer.kernel.shape[0] ** 2 * CHANNELS * layer.groups


def _row(layer: Layer) -> int:
    """Positions of a row of what a work group reads."""
    return WIDTH + 2 * layer.radius


def _tile_size(layer: Layer) -> int:
    """Positions that a work group reads."""
    return _row(layer) * (HEIGHT + 2 * layer.radius)
