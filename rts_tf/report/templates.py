"""Fills in the HTML templates of the folder ``web``."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from string import Template

from rts_tf.errors import printable

# The placeholders of a page for styles, and their files
_PARTS = {
    "page_style": "page.css",
    "slider_style": "slider.css",
    "preview_style": "preview.css",
}


def fill(template: str, **parts: object) -> str:
    """Fill in a template.

    Args:
        template: The file name of the template.
        parts: The HTML for each of its placeholders.
    """
    return Template(web_file(template)).substitute(parts)


def page(template: str, scripts: Sequence[str] = ("slider.js",), **parts: object) -> str:
    """Fill in the template of a page, with its styles and scripts.

    Everything is inline, so that the page works from ``file://`` and makes no requests. The
    security policy of the page allows these scripts by their hash, and no other.

    Args:
        template: The file name of the template.
        scripts: The files of the scripts.
        parts: The HTML for each of its other placeholders.
    """
    script = "\n" + "".join(map(web_file, scripts))
    styles = {part: web_file(file) for part, file in _PARTS.items()}
    return fill(template, script=script, script_hash=hash_of(script), **styles, **parts)


def text(value: object) -> str:
    """The HTML that shows ``value`` as text, whatever it is: a name may hold markup."""
    return escape(printable(str(value)))


def hash_of(script: str) -> str:
    """How a security policy names the text of a script element."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def web_file(name: str) -> str:
    """The text of a file of the folder ``web``."""
    return (resources.files("rts_tf.report") / "web" / name).read_text(encoding="utf-8")
