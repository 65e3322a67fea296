"""Writes networks as a web page: one HTML file that enhances images in a browser, on its GPU.

The scripts are those of the folder ``page``, as they are. The file has no dependency, works from
``file://``, and its security policy forbids every request.
"""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from PIL import Image
from PIL.ExifTags import Base

from rts_tf.errors import ConfigError
from rts_tf.export import page_plan
from rts_tf.export.program import Program
from rts_tf.images.icc import SRGB_CURVE, SRGB_PRIMARIES, profile
from rts_tf.report.templates import fill, hash_of, web_file

WORKER = (
    *("metadata.js", "exif.js", "containers.js"),
    *("network.js", "shaders.js", "webgl2.js", "wgsl.js", "webgpu.js", "worker.js"),
)
# Red, green and blue of a pixel whose profile has the primaries of sRGB in another order
PROBE = (200, 100, 50)
PROBE_PRIMARIES = (*SRGB_PRIMARIES[:2], *SRGB_PRIMARIES[4:], *SRGB_PRIMARIES[2:4])
ON_ITS_SIDE = 6  # an orientation of EXIF


def page_file(programs: Sequence[Program], about: Mapping[str, str]) -> str:
    """Write the page.

    Args:
        programs: Networks of the same size, for RGB or luma. The first one is chosen when the page
            opens.
        about: What the page says about itself, such as source and licence: plain text by name.

    Returns:
        The HTML file.

    Raises:
        ConfigError: There is no network, or the page cannot compute one. The message names it.
    """
    if not programs:
        raise ConfigError("a page needs at least one network")
    for program in programs:
        page_plan.check(program)
    weights = page_plan.Weights()
    networks = [page_plan.described(program, weights) for program in programs]
    script = "\n" + web_file("slider.js") + _part("tool.js")
    return Template(_part("page.html.template")).substitute(
        script_hash=hash_of(script),
        style=web_file("page.css") + web_file("slider.css") + _part("tool.css"),
        slider=_slider(),
        about=_about(about),
        networks=_json(networks),
        weights=_text(weights.tobytes()),
        probes=_json(_probes()),
        worker="".join(map(_part, WORKER)),
        script=script,
    )


def _part(name: str) -> str:
    return (resources.files("rts_tf.export") / "page" / name).read_text(encoding="utf-8")


def _text(contents: bytes) -> str:
    return base64.b64encode(contents).decode("ascii")


def _json(value: Any) -> str:
    """JSON that cannot end the element which holds it."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _slider() -> str:
    """The slider of other pages, which the script fills."""
    html = fill(
        "slider.html.template",
        before="",
        after="",
        left="original",
        right="enhanced",
        before_text="The original image",
        after_text="The enhanced image",
        width=1,
        height=1,
    )
    return html.replace(' src=""', "")  # an image without an address is no error


def _about(about: Mapping[str, str]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in about.items())
    return f"<dl>{''.join(rows)}</dl>" if about else ""


def _probes() -> dict[str, str]:
    """Small files with which the page finds out what the browser does with a profile and EXIF."""

    def written(kind: str, width: int, **settings: Any) -> str:
        file = io.BytesIO()
        Image.new("RGB", (width, 1), PROBE).save(file, kind, **settings)
        return _text(file.getvalue())

    exif = Image.Exif()
    exif[Base.Orientation] = ON_ITS_SIDE
    icc = profile(PROBE_PRIMARIES, SRGB_CURVE, 3, "probe")
    turned = {kind: written(kind, 2, exif=exif) for kind in ("png", "webp")}
    return turned | {"profile": written("png", 1, icc_profile=icc)}
