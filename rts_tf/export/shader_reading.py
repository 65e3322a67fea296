"""How the GLSL of a shader reads the image with its border, and the textures of layers.

Positions are those of the image with its border, after packing. Their first one is (0, 0).
"""

from rts_tf.export.shader_plan import Layer, Plan
from rts_tf.export.shader_text import CHANNELS


def size_of_layer(plan: Plan, layer: Layer) -> tuple[str, str]:
    """The expressions of the player for the width and height of a layer's texture.

    They count from the last to the first. Where the sides are no multiples of the packing, the
    texture is larger than needed by less than one position.
    """
    more, pack = 2 * plan.border + plan.pack - 1, plan.pack
    columns, rows = layer.grid
    sides = ("HOOKED.w", columns), ("HOOKED.h", rows)
    width, height = (f"{side} {more} + {pack} / {count} *" for side, count in sides)
    return width, height


def positions(plan: Plan) -> str:
    """GLSL for how many positions there are, an ivec2."""
    return f"(image_size() + {2 * plan.border + plan.pack - 1}) / {plan.pack}"


def pixel_function() -> str:
    """GLSL for ``pixel(p)``, a pixel of the image, or the nearest one where ``p`` lies beyond it.

    vo=gpu of mpv hands over a video that is shown upright as it is stored, on its side.
    """
    return """
ivec2 image_size() { return ivec2(abs(HOOKED_rot * HOOKED_size) + 0.5); }

vec4 pixel(ivec2 p) {
    vec2 size = vec2(image_size());
    vec2 at = HOOKED_rot * (clamp(vec2(p), vec2(0.0), size - 1.0) + 0.5);
    return HOOKED_tex((at + max(-(HOOKED_rot * size), 0.0)) * HOOKED_pt);
}
"""


def image_function(plan: Plan) -> str:
    """GLSL for ``source(p, group)``: four channels of the image at a position."""
    if plan.head:
        value = f"vec4(pixel(p - {plan.border}).rgb, 0.0)"
    elif plan.pack == 1:
        value = f"vec4(pixel(p - {plan.border}).x, 0.0, 0.0, 0.0)"
    else:
        pixels = ", ".join(
            f"pixel(p + ivec2({first % plan.pack}, {first // plan.pack})).x"
            for first in range(CHANNELS)
        )
        value = f"vec4({pixels})"
        # Channels are numbered row by row.
        per_row, rows = max(1, plan.pack // CHANNELS), max(1, CHANNELS // plan.pack)
        start = f"ivec2({CHANNELS} * (group % {per_row}), {rows} * (group / {per_row}))"
        value = f"p = p * {plan.pack} - {plan.border} + {start};\n    return {value}"
        return f"\nvec4 source(ivec2 p, int group) {{\n    {value};\n}}\n"
    return f"\nvec4 source(ivec2 p, int group) {{ return {value}; }}\n"


def layer_function(plan: Plan, layer: Layer, name: str, tiled: bool) -> str:
    """GLSL for ``name(p, group)``: four channels of a layer at a position.

    Args:
        tiled: Whether the positions of a group lie together; else the groups of a position do.
    """
    columns, _ = layer.grid
    cell = f"ivec2(group % {columns}, group / {columns})"
    texel = f"p + {cell} * size" if tiled else f"p * ivec2{layer.grid} + {cell}"
    return f"""
vec4 {name}(ivec2 p, int group) {{
    ivec2 size = {positions(plan)};
    p = clamp(p, ivec2(0), size - 1);
    return texelFetch({layer.name}_raw, {texel}, 0);
}}
"""


def source_function(plan: Plan, layer: Layer, tiled: bool) -> str:
    """GLSL for ``source(p, group)``: what a layer reads."""
    if layer.source is None:
        return image_function(plan)
    return layer_function(plan, layer.source, "source", tiled)


def binds_of(*layers: Layer | None) -> tuple[str, ...]:
    """The names of the textures of layers, each once."""
    return tuple(dict.fromkeys(layer.name for layer in layers if layer))
