"""Reads HTML pages of the package as a browser would."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
from PIL import Image


class Page(HTMLParser):
    """What a browser would see of a page.

    Attributes:
        tags: The name of every element.
        addresses: Everything that a browser would load or link to.
        images: The attributes of every image.
        tables: The text of the cells, by table and row.
        selected: For each table row whether it is marked as selected.
        text: All text.
    """

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.selected: list[bool] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        links = ("src", "href", "xlink:href", "action")
        self.addresses += [attributes[key] for key in links if key in attributes]
        if tag == "img":
            self.images.append(attributes)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
            self.selected.append(attributes.get("class") == "selected")
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data.strip("\n")


def decode(uri: str) -> np.ndarray:
    """The image of a data URI, uint8 [H, W, 3]."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))))
