"""What a file says about its image beside EXIF, ICC profile and resolution."""

from typing import NamedTuple


class Metadata(NamedTuple):
    """Blocks of metadata, as their standards define them. All are about the upright image.

    Attributes:
        xmp: The XMP packet, or empty.
        extended_xmp: The further parts of an XMP packet above 64 kB: contents of JPEG segments.
        iptc: The IPTC records (IIM), or empty.
        resources: Photoshop's image resources without the IPTC records, or empty.
        comments: The comments of a JPEG file.
        chunks: The texts of a PNG file and other chunks that may be copied: types and contents.
        colour: The chunks in which a PNG file describes its colours, the ICC profile excepted:
            types and contents.
    """

    xmp: bytes = b""
    extended_xmp: tuple[bytes, ...] = ()
    iptc: bytes = b""
    resources: bytes = b""
    comments: tuple[bytes, ...] = ()
    chunks: tuple[tuple[bytes, bytes], ...] = ()
    colour: tuple[tuple[bytes, bytes], ...] = ()
