"""The layers of a shader for players without compute shaders: one pass each.

A program for fragments makes four channels, so the groups of channels lie beside each other in the
texture of a layer, and the program finds out at which of them it is. It is for networks for luma:
networks for RGB have so many channels that it would read each of them far too often.
"""

import numpy as np

from rts_tf.export.shader_plan import Layer, Plan
from rts_tf.export.shader_reading import (
    binds_of,
    layer_function,
    pixel_function,
    positions,
    size_of_layer,
    source_function,
)
from rts_tf.export.shader_text import CHANNELS, Block, matrix, vector


def layer_block(plan: Plan, layer: Layer, hook: str) -> str:
    """Write the pass that saves a layer.

    Args:
        hook: The name of the texture after which the player runs the shader.
    """
    columns, _ = layer.grid
    cases = " else ".join(
        f"if (group == {group}) {{\n{_sum(layer, group)}}}" for group in range(layer.groups)
    )
    result = "max(s, 0.0)" if layer.relu else "s"
    body = f"""
#define V(x,y,g) source(p+ivec2(x,y),g)
{pixel_function()}{source_function(plan, layer, tiled=True)}
vec4 hook() {{
    ivec2 size = {positions(plan)}, p = ivec2(gl_FragCoord.xy), cell = p / size;
    p -= cell * size;
    int group = cell.y * {columns} + cell.x;
    vec4 s = vec4(0.0);
    {cases}
    return {result};
}}
"""
    block = Block(
        hook,
        f"{layer.name}: {layer.kernel.shape[3]} channels",
        binds_of(layer.source),
        layer.name,
        size_of_layer(plan, layer),
        (),
        body,
    )
    return str(block)


def luma_block(plan: Plan, layer: Layer, hook: str, strength: str) -> str:
    """Write the pass that adds the last layer, which is saved, to the luma, and unpacks pixels.

    Args:
        hook: As in :func:`layer_block`.
        strength: GLSL that defines ``STRENGTH``.
    """
    pack = plan.pack
    body = f"""
{strength}{pixel_function()}{layer_function(plan, layer, "change", tiled=True)}
vec4 hook() {{
    ivec2 p = ivec2(gl_FragCoord.xy), at = p + {plan.border};
    int channel = at.y % {pack} * {pack} + at.x % {pack};
    vec4 changes = change(at / {pack}, channel / {CHANNELS});
    float luma = pixel(p).x + STRENGTH * changes[channel % {CHANNELS}];
    return vec4(clamp(luma, 0.0, 1.0), 0.0, 0.0, 1.0);
}}
"""
    return str(Block(hook, f"{layer.name}: added to luma", binds_of(layer), "", (), (), body))


def _sum(layer: Layer, group: int) -> str:
    """GLSL that sums up a group of channels."""
    lines = [f"s={vector(layer.biases(group))};\n"]
    side, radius = layer.kernel.shape[0], layer.radius
    for source in range(layer.inputs):
        for i, j in np.ndindex(side, side):
            weights = matrix(layer.weights(i, j, source, group))
            lines.append(f"s+={weights}*V({j - radius},{i - radius},{source});\n")
    return "".join(lines)
