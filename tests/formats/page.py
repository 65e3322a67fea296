"""Makes docs/formats.md from the outcomes of random files."""

import collections
import textwrap
from collections.abc import Iterable

from tests.formats.image_plans import OUTPUTS as IMAGE_OUTPUTS
from tests.formats.outcome import FATES, Outcome
from tests.formats.video_plans import INPUTS, VIDEO
from tests.formats.video_plans import OUTPUTS as VIDEO_OUTPUTS

UNTRIED = "–"
COMMAND = "python -m tests.formats --table=docs/formats.md"

# Rows of the tables in their order; a row that ends in "*" stands for all that begin like it.
VIDEO_ROWS = {
    "Frames and their times": ("times: *",),
    "Several recordings in one file": ("times: restart",),
    "Interlaced frames": ("interlaced frames",),
    "4:2:0, 4:2:2 and 4:4:4 of 8 bits": tuple(
        f"pixels: {c}, 8 bits" for c in ("4:2:0", "4:2:2", "4:4:4")
    ),
    "4:2:0, 4:2:2 and 4:4:4 of 10 and 12 bits": tuple(
        f"pixels: {c}, {bits} bits" for c in ("4:2:0", "4:2:2", "4:4:4") for bits in (10, 12)
    ),
    "16 bits": ("pixels: 4:4:4, 16 bits", "pixels: RGB, 16 bits"),
    "4:4:0": ("pixels: 4:4:0, 8 bits",),
    "Grey": ("pixels: grey, 8 bits", "pixels: grey, 10 bits", "pixels: grey, 12 bits"),
    "RGB": ("pixels: RGB, 8 bits", "pixels: RGB, 10 bits"),
    "Transparency": ("transparency",),
    "Width or height that is odd": ("odd size",),
    "Colour description": ("colour description", "full range", "no colour description"),
    "HDR metadata": ("HDR metadata",),
    "Closed captions in frames": ("closed captions",),
    "Active format (AFD)": ("active format (AFD)",),
    "Rotation": ("rotation",),
    "Shape of a pixel": ("shape of a pixel",),
    "AAC, MP3, AC-3, E-AC-3": tuple(f"audio: {c}" for c in ("aac", "mp3", "ac3", "eac3")),
    "MP2": ("audio: mp2",),
    "Opus": ("audio: opus",),
    "Vorbis": ("audio: vorbis",),
    "FLAC": ("audio: flac",),
    "ALAC": ("audio: alac",),
    "WavPack, TTA": ("audio: wavpack", "audio: tta"),
    "PCM of 16 to 32 bits": tuple(f"audio: pcm_{c}" for c in ("s16le", "s24le", "s24be", "f32le")),
    "PCM of 8 bits, mu-law": ("audio: pcm_u8", "audio: pcm_mulaw"),
    "PCM of DVD and Blu-ray": ("audio: pcm_dvd", "audio: pcm_bluray"),
    "WMA": ("audio: wmav1", "audio: wmav2"),
    "ADPCM, Nellymoser, AMR": tuple(
        f"audio: {c}" for c in ("adpcm_ms", "adpcm_ima_qt", "adpcm_swf", "nellymoser", "amr_nb")
    ),
    "Subtitles: SubRip": ("subtitles: srt",),
    "Subtitles: ASS": ("subtitles: ass",),
    "Subtitles: WebVTT": ("subtitles: webvtt",),
    "Subtitles: MP4 timed text": ("subtitles: mov_text",),
    "Subtitles: DVB, PGS (bitmaps)": ("subtitles: dvb", "subtitles: pgs"),
    "Chapters": ("chapters",),
    "Title, artist, comment": ("tags: usual ones",),
    "Other tags": ("tags: others",),
    "Language of a stream": ("language of a stream",),
    "Cover": ("cover",),
    "Attachments": ("attachment",),
    "Second video stream": ("second video",),
    "Timecode track": ("timecode",),
    "Other data streams": ("data",),
}
IMAGE_ROWS = {
    "Grey of 1 to 4 bits": ("grey, 1 to 4 bits",),
    "Grey of 8 bits": ("grey, 8 bits",),
    "Grey of 16 bits": ("grey, 16 bits",),
    "Palette": ("palette",),
    "Colour of 8 bits": ("colour, 8 bits",),
    "Colour of 16 bits": ("colour, 16 bits",),
    "Floating point": ("floating point",),
    "TIFF with signed, 12 or 32 bits, Lab": ("TIFF: signed, 12 and 32 bits, LAB",),
    "CMYK": ("CMYK",),
    "GIF as input": ("GIF as input",),
    "AVIF as input": ("AVIF as input",),
    "Transparency": ("transparency",),
    "Animation, pages, MPO, gain map": ("several images",),
    "Orientation of EXIF": ("orientation of EXIF",),
    "EXIF": ("EXIF",),
    "XMP": ("XMP",),
    "IPTC": ("IPTC",),
    "Text of PNG": ("text of PNG",),
    "Comment of JPEG and GIF": ("comment",),
    "Resolution": ("resolution",),
    "ICC profile": ("ICC profile",),
    "gAMA and cHRM": ("gAMA and cHRM",),
    "sRGB": ("sRGB",),
    "cICP": ("cICP",),
    "mDCV and cLLI": ("mDCV and cLLI",),
}
HEAD = """# Formats

What becomes of everything that a file may hold, by the format of the output. Nothing is lost in
silence: what the output cannot hold is refused before the work, converted, or named in a line at
the end.

These tables are made by `{command}`. It makes {videos} random videos and
{images} random images, enhances them with strength 0, reads both files with other readers, and
accounts for everything: lossless outputs have the very same samples, frames are at their times,
copied packets have the same bytes. A run takes some minutes.

- **kept**: the output holds it as the input does.
- **converted**: the output holds the same in another form. If that changes what is stored of a
  video, such as its sound, a line says so. One change has no line: an open range of colours becomes
  limited, which is what it means, where the codec must state a range.
- **reported**: the output does not hold it, and a line at the end says so; the exit code stays 0.
- **refused**: there is no output. The error names the file and what to do.

Several words stand for several cases of a row, for example codecs that a container can and cannot
hold.
"""


def page(videos: list[Outcome], images: list[Outcome], seed: int) -> str:
    """The text of docs/formats.md.

    Args:
        videos: The outcomes of random videos.
        images: The outcomes of random images.
        seed: Of both.
    """
    inputs = ", ".join(sorted(INPUTS))
    codecs = ", ".join(sorted({_title(codec.split()[0]) for codec in VIDEO}, key=str.lower))
    read = textwrap.fill(f"Inputs: {inputs}, with video in {codecs}.", 100)
    parts = [
        HEAD.format(command=COMMAND, videos=len(videos), images=len(images)),
        "## Videos",
        read,
        table(videos, VIDEO_ROWS, tuple(VIDEO_OUTPUTS)),
        "## Images",
        "Inputs: PNG, JPEG, WebP, TIFF, BMP, GIF and AVIF.",
        table(images, IMAGE_ROWS, IMAGE_OUTPUTS),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _title(codec: str) -> str:
    names = {
        "h264": "H.264",
        "hevc": "HEVC",
        "h263": "H.263",
        "prores": "ProRes",
        "cfhd": "CineForm",
        "dnxhd": "DNxHR",
        "qtrle": "QuickTime Animation",
        "jpeg2000": "JPEG 2000",
        "mjpeg": "Motion JPEG",
        "huffyuv": "HuffYUV",
        "utvideo": "Ut Video",
        "msmpeg4": "MS-MPEG-4",
        "flv1": "Sorenson Spark",
        "raw": "raw frames",
        "wmv1": "WMV 7",
        "wmv2": "WMV 8",
        "mpeg1": "MPEG-1",
        "mpeg2": "MPEG-2",
        "mpeg4": "MPEG-4",
        "v210": "v210",
    }
    return names.get(codec, codec.upper())


def table(found: Iterable[Outcome], rows: dict[str, tuple[str, ...]], outputs: tuple) -> str:
    """A Markdown table: the fates of each row by the output's suffix."""
    cells: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    titles = {row: title for title, members in rows.items() for row in members}
    for outcome in found:
        for row, fate in outcome.fates:
            title = titles.get(row) or titles.get(f"{row.split(':')[0]}: *")
            if title:
                cells[title, outcome.output].add(fate)
    lines = [
        "| | " + " | ".join(f"`{output}`" for output in outputs) + " |",
        "|---|" + "---|" * len(outputs),
    ]
    for title in rows:
        words = [
            ", ".join(fate for fate in FATES if fate in cells[title, output]) or UNTRIED
            for output in outputs
        ]
        lines.append(f"| {title} | " + " | ".join(words) + " |")
    return "\n".join(lines)
