"""Writes a network as user shaders for mpv, and for all that runs libplacebo.

There is one file for GPUs with compute shaders and, for luma, one for those without.
"""

from collections.abc import Mapping

from rts_tf.export import shader_compute, shader_fragment, shader_halving
from rts_tf.export.program import Program
from rts_tf.export.shader_plan import Plan, plan_of

LUMA, RGB = "LUMA", "MAIN"  # the textures of the player after which shaders run
STRENGTH = """
// The share of the change that is taken: 0.0 gives the video as it is, 1.0 the enhanced one.
#define STRENGTH 1.0
"""
_LUMA = """It enhances luma as it is stored, and leaves colours alone. Video of 8 bits and of
more, and of limited and full range, goes through this one file."""
_RGB = "It enhances RGB, after the player has made it from what is stored."


def shader_files(program: Program, about: Mapping[str, str]) -> dict[str, str]:
    """Write a network as user shaders.

    Args:
        program: One for luma, or the head "enhance" of a small network for RGB.
        about: What the header of the files says beside that, such as the source and the licence.
            Under ``name``, the name of the files; else it is that of the network.

    Returns:
        The texts by the names of the files, ``NAME-compute.glsl`` and ``NAME-fragment.glsl``.

    Raises:
        ConfigError: A shader cannot compute the program, or it would be too large.
    """
    plan = plan_of(program)
    name = about.get("name", program.name).replace("_", "-")
    files = {f"{name}-compute.glsl": _compute_blocks(plan)}
    if not plan.head:
        files[f"{name}-fragment.glsl"] = _fragment_blocks(plan)
    return {
        file: _header(file, name, program, about, blocks) + "\n".join(blocks)
        for file, blocks in files.items()
    }


def _compute_blocks(plan: Plan) -> list[str]:
    saved = plan.layers if plan.head else plan.layers[:-1]
    hook, last = RGB if plan.head else LUMA, plan.layers[-1]
    blocks = [block for each in saved for block in shader_compute.layer_blocks(plan, each, hook)]
    if plan.head:
        return [*blocks, shader_halving.head_block(plan, plan.head, hook, STRENGTH)]
    return [*blocks, shader_compute.luma_block(plan, last, hook, STRENGTH)]


def _fragment_blocks(plan: Plan) -> list[str]:
    blocks = [shader_fragment.layer_block(plan, layer, LUMA) for layer in plan.layers]
    return [*blocks, shader_fragment.luma_block(plan, plan.layers[-1], LUMA, STRENGTH)]


def _header(
    file: str, name: str, program: Program, about: Mapping[str, str], blocks: list[str]
) -> str:
    """The comment at the top of a file."""
    passes = sum(block.startswith("//!HOOK") for block in blocks)
    needs = "compute shaders" if "compute" in file else "fragment shaders only"
    lines = [
        f"{file}: sharpens video to its own size with the network {name} of rts_tf.",
        "",
        *(_LUMA if program.channels == 1 else _RGB).splitlines(),
        "",
        f"Cost: {program.macs:,} MACs for each pixel, in {passes} passes; it needs {needs}.",
        "Strength: see #define STRENGTH in the last block.",
        "Install in mpv: copy this file to the folder shaders beside mpv.conf, which gets the line",
        f'    glsl-shaders-append="~~/shaders/{file}"',
        f"FFmpeg: -vf hwupload,libplacebo=custom_shader_path={file},hwdownload",
    ]
    for key, value in {"licence": "Apache-2.0", **about}.items():
        if key != "name":
            lines.append(f"{key[:1].upper()}{key[1:]}: {' '.join(str(value).split())}")
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"
