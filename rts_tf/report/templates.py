"""Fills in the HTML templates of the folder ``web``."""

from importlib import resources
from string import Template

# The placeholders of a page for styles and scripts, and their files
_PARTS = {
    "page_style": "page.css",
    "slider_style": "slider.css",
    "slider_script": "slider.js",
    "preview_style": "preview.css",
    "preview_script": "preview.js",
}


def fill(template: str, **parts: object) -> str:
    """Fill in a template.

    Args:
        template: The file name of the template.
        parts: The HTML for each of its placeholders.
    """
    return Template(web_file(template)).substitute(parts)


def page(template: str, **parts: object) -> str:
    """Fill in the template of a page, with the styles and the script that sliders need.

    Everything is inline, so that the page works from ``file://`` and makes no requests.

    Args:
        template: The file name of the template.
        parts: The HTML for each of its other placeholders.
    """
    return fill(template, **{part: web_file(file) for part, file in _PARTS.items()}, **parts)


def web_file(name: str) -> str:
    """The text of a file of the folder ``web``."""
    return (resources.files("rts_tf.report") / "web" / name).read_text(encoding="utf-8")
