"""Puts a link to an exported page, on which anybody can try the network, into a report."""

import os
import pathlib
import re
from html import escape
from urllib.parse import quote

from rts_tf.storage import write_text

# In the templates of reports there is nothing between these two.
_MARKED = re.compile(r"(<!-- demo page -->).*?(<!-- end -->)", re.DOTALL)


def link_demo_page(report: pathlib.Path, demo: pathlib.Path) -> bool:
    """Link a report to a demo page, in place of the one that it was linked to before.

    Args:
        report: The HTML file of a run or of a distillation.
        demo: The page of an export.

    Returns:
        Whether the report is there and has a place for the link.

    Raises:
        OSError: The report cannot be written.
    """
    if not report.is_file():
        return False
    text = report.read_text(encoding="utf-8")
    address = quote(pathlib.Path(os.path.relpath(demo, report.parent)).as_posix())
    link = (
        f'<p><a href="{escape(address)}">Try the network on images of your own</a>: a page that'
        " works in the browser and sends nothing anywhere.</p>"
    )
    linked, count = _MARKED.subn(lambda match: f"{match[1]}{link}{match[2]}", text)
    if count:
        write_text(report, linked)
    return bool(count)
