"""The last pass of a shader for RGB: the head and d() of section 3.1, without the doubled image.

A work group of 8 x 8 pixels keeps what it needs of the enhanced image and of the doubled one in its
shared memory, in full precision. The weights of d() beyond the image are left out, and the others
are divided by their sum.
"""

import numpy as np

from rts_tf.export.downscale import halving_kernels
from rts_tf.export.shader_plan import Layer, Plan
from rts_tf.export.shader_reading import binds_of, layer_function, pixel_function
from rts_tf.export.shader_text import Block, number
from rts_tf.images.resample import D_RADIUS

SIDE = 8  # pixels a side of a work group
REACH = SIDE + 2 * D_RADIUS  # pixels a side of which it needs the doubled pixels
TILE = REACH + 2  # pixels a side of which it needs the enhanced image
DOUBLED, TAPS = 2 * REACH, 4 * D_RADIUS + 2  # doubled pixels a side, and those that d() weights


def head_block(plan: Plan, head: Layer, hook: str, strength: str) -> str:
    """Write the pass.

    Args:
        head: The layer of the phases.
        hook: The name of the texture after which the player runs the shader.
        strength: GLSL that defines ``STRENGTH``.
    """
    change = plan.layers[-1]
    columns, rows = halving_kernels()
    taps = _taps(columns[0])
    assert np.array_equal(taps, _taps(rows[:, 0]))
    functions = pixel_function() + layer_function(plan, change, "change", tiled=False)
    body = f"""
{strength}shared vec3 tile[{TILE**2}];
shared vec3 doubled[{DOUBLED**2}];
shared vec3 halved[{DOUBLED * SIDE}];
const float taps[{TAPS}] = float[](
    {_numbers(taps)});
{functions}{_phase_functions(head)}
// The factor that makes up for the taps beyond the image.
float gain(int at, int size) {{
    float sum = 0.0;
    for (int i = 0; i < {2 * D_RADIUS + 1}; i++)
        if (at + i >= {D_RADIUS} && at + i < size + {D_RADIUS})
            sum += taps[2 * i] + taps[2 * i + 1];
    return 1.0 / sum;
}}

void hook() {{
    ivec2 size = image_size(), base = ivec2(gl_WorkGroupID.xy) * {SIDE};
    int thread = int(gl_LocalInvocationIndex);
{_doubling(plan)}
{_halving()}}}
"""
    title = f"{head.name}: the head and d()"
    return str(Block(hook, title, binds_of(change), "", (), (SIDE, SIDE), body))


def _doubling(plan: Plan) -> str:
    """GLSL that fills ``doubled``, which is zero beyond the image."""
    return f"""
    for (int i = thread; i < {TILE**2}; i += {SIDE**2}) {{
        ivec2 p = base + ivec2(i % {TILE}, i / {TILE}) - {D_RADIUS + 1};
        tile[i] = pixel(p).rgb + change(p + {plan.border}, 0).rgb;
    }}
    barrier();
    for (int i = thread; i < {REACH**2}; i += {SIDE**2}) {{
        ivec2 at = ivec2(i % {REACH}, i / {REACH}), p = base + at - {D_RADIUS};
        bool inside = all(greaterThanEqual(p, ivec2(0))) && all(lessThan(p, size));
        int to = 2 * at.y * {DOUBLED} + 2 * at.x, from = at.y * {TILE} + at.x;
        doubled[to] = inside ? phase0(from) : vec3(0.0);
        doubled[to + 1] = inside ? phase1(from) : vec3(0.0);
        doubled[to + {DOUBLED}] = inside ? phase2(from) : vec3(0.0);
        doubled[to + {DOUBLED + 1}] = inside ? phase3(from) : vec3(0.0);
    }}
    barrier();
"""


def _halving() -> str:
    """GLSL that makes a pixel of the image from ``doubled``."""
    return f"""
    for (int i = thread; i < {DOUBLED * SIDE}; i += {SIDE**2}) {{
        int x = i % {SIDE}, from = i / {SIDE} * {DOUBLED} + 2 * x;
        vec3 sum = vec3(0.0);
        for (int tap = 0; tap < {TAPS}; tap++)
            sum += taps[tap] * doubled[from + tap];
        halved[i] = sum * gain(base.x + x, size.x);
    }}
    barrier();
    ivec2 local = ivec2(gl_LocalInvocationID.xy), p = base + local;
    vec3 sum = vec3(0.0);
    for (int tap = 0; tap < {TAPS}; tap++)
        sum += taps[tap] * halved[(2 * local.y + tap) * {SIDE} + local.x];
    vec4 before = pixel(p);
    vec3 after = mix(before.rgb, sum * gain(p.y, size.y), STRENGTH);
    if (all(lessThan(p, size)))
        imageStore(out_image, p, vec4(clamp(after, 0.0, 1.0), before.a));
"""


def _taps(kernel: np.ndarray) -> np.ndarray:
    """The weights of d() along a doubled line, from a kernel [7, (..., phase, colour), ...]."""
    return kernel[:, [0, 3], 0].ravel()


def _phase_functions(head: Layer) -> str:
    """GLSL for ``phase0(at)`` to ``phase3``: one doubled pixel of a place in ``tile``."""
    functions = ""
    for phase in range(4):
        first = 3 * phase
        lines = [f"vec3 s=vec3({_numbers(head.bias[first : first + 3])});"]
        for i, j in np.ndindex(3, 3):
            weights = _numbers(head.kernel[i, j, :, first : first + 3].ravel())
            lines.append(f"s+=mat3({weights})*tile[at+{i * TILE + j}];")
        code = "\n".join(lines)
        functions += f"\nvec3 phase{phase}(int at) {{\n{code}\nreturn s;\n}}\n"
    return functions


def _numbers(values: np.ndarray) -> str:
    return ",".join(map(number, values))
