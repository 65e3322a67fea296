"""The layers of a shader for players with compute shaders: one pass each.

A work group makes all channels of a block of positions.
"""

from rts_tf.export.shader_plan import Layer, Plan
from rts_tf.export.shader_reading import (
    binds_of,
    layer_function,
    pixel_function,
    size_of_layer,
    source_function,
)
from rts_tf.export.shader_sums import HEIGHT, WIDTH, shared, sum_of, summed, table, table_name
from rts_tf.export.shader_text import CHANNELS, Block


def layer_blocks(plan: Plan, layer: Layer, hook: str) -> list[str]:
    """Write the pass that saves a layer, and before it the texture of its weights if it has one.

    Args:
        hook: The name of the texture after which the player runs the shader.
    """
    columns, rows = layer.grid
    code = "    ivec2 p = base + local;\n"
    for group in range(layer.groups):
        value = f"max({sum_of(layer, group)}, 0.0)" if layer.relu else sum_of(layer, group)
        value += f" + skipped(p, {group})" if layer.skip else ""
        cell = f"ivec2({group % columns}, {group // columns})"
        code += f"    imageStore(out_image, p * ivec2{layer.grid} + {cell}, {value});\n"
    skip = layer_function(plan, layer.skip, "skipped", tiled=False) if layer.skip else ""
    weights = table_name(layer)
    block = Block(
        hook,
        f"{layer.name}: {layer.kernel.shape[3]} channels",
        binds_of(layer.source, layer.skip) + ((weights,) if weights else ()),
        layer.name,
        size_of_layer(plan, layer),
        (WIDTH * columns, HEIGHT * rows, WIDTH, HEIGHT),
        _body(plan, layer, skip, code),
    )
    return [*([table(layer)] if weights else []), str(block)]


def luma_block(plan: Plan, layer: Layer, hook: str, strength: str) -> str:
    """Write the pass that adds the last layer to the luma and unpacks the pixels.

    Args:
        hook: As in :func:`layer_blocks`.
        strength: GLSL that defines ``STRENGTH``.
    """
    pack = plan.pack
    code = f"    ivec2 p = {pack} * (base + local) - {plan.border};\n"
    for channel in range(pack**2):
        change = f"{sum_of(layer, channel // CHANNELS)}[{channel % CHANNELS}]"
        code += f"    store(p + ivec2({channel % pack}, {channel // pack}), {change});\n"
    store = """
void store(ivec2 p, float change) {
    if (all(lessThan(p, imageSize(out_image)))) {
        float luma = clamp(pixel(p).x + STRENGTH * change, 0.0, 1.0);
        imageStore(out_image, p, vec4(luma, 0.0, 0.0, 1.0));
    }
}
"""
    block = Block(
        hook,
        f"{layer.name}: added to luma",
        binds_of(layer.source),
        "",
        (),
        (WIDTH * pack, HEIGHT * pack, WIDTH, HEIGHT),
        strength + _body(plan, layer, store, code, plan.border // pack),
    )
    return str(block)


def _body(plan: Plan, layer: Layer, functions: str, code: str, first: int = 0) -> str:
    """GLSL of a pass: ``code`` takes the sums, beginning at position (``first``, ``first``)."""
    start = f" + {first}" if first else ""
    return f"""
{shared(layer)}{pixel_function()}{source_function(plan, layer, tiled=False)}{functions}
void hook() {{
    ivec2 local = ivec2(gl_LocalInvocationID.xy);
    ivec2 base = ivec2(gl_WorkGroupID.xy) * ivec2({WIDTH}, {HEIGHT}){start};
{summed(layer)}{code}}}
"""
