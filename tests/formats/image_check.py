"""Enhances the image of a plan with strength 0 and accounts for everything that it holds."""

import pathlib
import re
import tempfile

import numpy as np

from tests.formats.image_contents import ImageContents, read_contents
from tests.formats.image_maker import make_image
from tests.formats.image_parts import (
    CICP,
    COMMENT,
    GAMMA,
    LIGHT,
    MASTERING,
    PRIMARIES,
    TEXTS,
    TOKEN,
    ImageTruth,
)
from tests.formats.image_plans import ImagePlan, image_plan
from tests.formats.outcome import CONVERTED, KEPT, REFUSED, Account, Lines, Outcome
from tests.formats.running import Run, left_behind, reason_of_refusal, run

LOSSLESS = (".png", ".tif", ".bmp")
ALIKE = 24  # dB for lossy outputs, whose colours may be at half the resolution
ALIKE_CONVERTED = 18  # dB: without a profile, programs convert CMYK in ways of their own
# A reason for a refusal: the row of the table that it belongs to
REASONS = (
    (r"transparent", "transparency"),
    (r"holds \d+ images|animat|pages?\b", "several images"),
    (r"CMYK", "CMYK"),
    (r"float|32-bit|64-bit", "floating point"),
    (r"profile", "ICC profile"),
)
FALSE_REASON = r"is not an? (PNG|image)|cannot tell|no image|compressed by NONE"


def check_image(number: int, seed: int) -> Outcome:
    """Make, enhance and check the image with a number."""
    plan = image_plan(number, seed)
    with tempfile.TemporaryDirectory() as folder:
        # The name says nothing that a message could be about.
        suffix = ".jpg" if plan.family == "JPEG" else f".{plan.family.lower()}"
        suffix = ".tif" if plan.family == "TIFF" else suffix
        source = pathlib.Path(folder, "in", f"i{number}{suffix}")
        target = pathlib.Path(folder, "out", f"i{number}{plan.output}")
        source.parent.mkdir()
        target.parent.mkdir()
        contents, truth = make_image(plan)
        source.write_bytes(contents)
        ran = run(source, target, f"--model={plan.model}")
        account = Account(Lines(ran.lines))
        refused = ""
        if ran.crash:
            account.fault("crash", ran.crash)
        elif ran.code == 1:
            refused = _check_refusal(account, plan, ran, source, target)
        elif ran.code or not target.is_file():
            account.fault("exit code", f"{ran.code}, and the output is there: {target.is_file()}")
        else:
            _check_output(account, plan, truth, source, target)
        if ran.printed:
            account.fault("a library prints by itself", ran.printed.splitlines()[0][:200])
        if left := left_behind(target.parent, target):
            account.fault("something is left behind", ", ".join(left))
        lines = tuple(line.replace(folder, "") for line in account.lines.all)
    faults = tuple((kind, text.replace(folder, "")) for kind, text in account.faults)
    return Outcome(number, str(plan), plan.output, refused, tuple(account.fates), faults, lines)


def _check_refusal(
    account: Account, plan: ImagePlan, ran: Run, source: pathlib.Path, target: pathlib.Path
) -> str:
    """Check that a file was refused in a way that helps; returns the reason."""
    reason = reason_of_refusal(account, ran, source, target)
    if plan.family in ("PNG", "JPEG", "WebP", "TIFF", "BMP") and re.search(
        rf"^IN.*({FALSE_REASON})", reason
    ):
        account.fault("refused for a reason that is not true", reason)
    for pattern, row in REASONS:
        if re.search(pattern, reason, re.I):
            account.fate(row, REFUSED)
            break
    else:
        account.fate(_row_of_kind(plan), REFUSED)
    return reason


def _row_of_kind(plan: ImagePlan) -> str:
    """The row of the table for the samples of an image."""
    words, family = plan.kind.split(), plan.family
    if plan.kind.startswith("cmyk"):
        return "CMYK"
    if plan.kind in ("pages", "animated"):
        return "several images"
    if words[0] == "float":
        return "floating point"
    if family == "TIFF" and (words[0] in ("signed", "LAB", "12") or plan.kind == "grey 32"):
        return "TIFF: signed, 12 and 32 bits, LAB"
    if family in ("GIF", "AVIF"):
        return f"{family} as input"
    if words[0] == "palette" or family == "BMP" and plan.kind == "palette":
        return "palette"
    if words[0] in ("grey", "white", "bilevel") or words[:2] == ["key", "grey"]:
        deep = words[-1] == "16"
        few = words[-1] in ("1", "2", "4") or plan.kind == "bilevel"
        return f"grey, {'16 bits' if deep else '1 to 4 bits' if few else '8 bits'}"
    return f"colour, {'16' if words[-1] == '16' else '8'} bits"


def _check_output(
    account: Account, plan: ImagePlan, truth: ImageTruth, source: pathlib.Path, target: pathlib.Path
) -> None:
    before = read_contents(source, pixels=False)
    after = read_contents(target)
    _check_pixels(account, plan, truth, after)
    if truth.images > 1:
        what = {"MPO": "second image", "gain map": "gain map"}.get(plan.kind, "frames")
        account.kept_or_named("several images", False, what, plan.kind)
    _check_colours(account, plan, before, after)
    _check_exif(account, plan, before, after)
    if TOKEN in before.xmp:
        account.kept_or_named("XMP", TOKEN in after.xmp, "XMP")
    if "IPTC" in plan.extras and before.iptc:
        account.kept_or_named("IPTC", after.iptc, "IPTC")
    found = {*after.texts.values(), after.comment.decode("latin-1")}
    for key, text in TEXTS.items():
        if before.texts.get(key) == text:
            account.kept_or_named("text of PNG", text in found, "text", key)
    if before.comment.rstrip(b"\0") == COMMENT:
        kept = any(COMMENT.decode() in text for text in found)
        account.kept_or_named("comment", kept, "comment")
    if before.dpi and "resolution" in plan.extras:
        kept = abs(after.dpi - before.dpi) < 0.02 * before.dpi
        detail = f"{before.dpi:.0f} became {after.dpi:.0f}"
        account.kept_or_named("resolution", kept, "resolution", detail)


def _check_pixels(
    account: Account, plan: ImagePlan, truth: ImageTruth, after: ImageContents
) -> None:
    row, pixels, alpha = _row_of_kind(plan), after.pixels, after.alpha
    assert pixels is not None
    if truth.pixels is None:
        account.fate(row, CONVERTED)
        return
    deep, stored_deep = truth.pixels.dtype == np.uint16, pixels.dtype == np.uint16
    expected, hidden = _in_bits(truth.pixels, stored_deep), truth.alpha
    hidden = None if hidden is None else _in_bits(hidden, stored_deep)
    if expected.shape[:2] != pixels.shape[:2]:
        account.fault("another size or orientation", f"{expected.shape} became {pixels.shape}")
        return
    if row == "floating point":
        deep = False
    if deep and not stored_deep:
        account.kept_or_named(row, False, "16 bits", "16 bits became 8")
    elif row in ("CMYK", "floating point"):
        account.fate(row, CONVERTED)
    else:
        account.fate(row, KEPT)
    _compare(account, plan, truth, (expected, hidden), (pixels, alpha))
    transparent = hidden is not None and (hidden < np.iinfo(hidden.dtype).max).any()
    if not transparent and alpha is not None and (alpha < np.iinfo(alpha.dtype).max).any():
        account.fault("transparent places that the input does not have")
    if not transparent:
        return
    same = alpha is not None and np.array_equal(alpha, hidden)
    if plan.output == ".avif" and alpha is not None:
        same = np.abs(alpha.astype(int) - hidden).max() <= 12
    account.kept_or_named("transparency", same, "transparency", plan.kind)


def _in_bits(values: np.ndarray, deep: bool) -> np.ndarray:
    """The samples in 16 bits if ``deep``, else in 8; rounded."""
    if deep == (values.dtype == np.uint16):
        return values
    if deep:
        return values.astype(np.uint16) * 257
    return ((values.astype(np.int64) + 128) // 257).astype(np.uint8)


def _compare(
    account: Account,
    plan: ImagePlan,
    truth: ImageTruth,
    expected: tuple[np.ndarray, np.ndarray | None],
    found: tuple[np.ndarray, np.ndarray | None],
) -> None:
    one, two = (
        np.broadcast_to(each, (*each.shape[:2], 3)).astype(int) for each in (expected[0], found[0])
    )
    what = f"{plan.kind}, {plan.model}"
    if truth.exact and plan.output in LOSSLESS:
        if not np.array_equal(one, two):
            worst = np.abs(one - two).max()
            account.fault(
                "pixels differ though strength is 0 and the format is lossless",
                f"{what}: {(one != two).any(-1).sum()} pixels by up to {worst}",
            )
        return
    peak = np.iinfo(found[0].dtype).max
    squares = ((one - two) / peak) ** 2
    if expected[1] is not None:
        shown = expected[1] > 0
        squares = squares[shown] if shown.any() else squares * 0
    level = -10 * np.log10(max(float(squares.mean()), 1e-9))
    if level < (ALIKE if truth.exact or plan.kind == "cmyk profile" else ALIKE_CONVERTED):
        account.fault("pixels look different", f"{what}: {level:.1f} dB")


def _check_colours(
    account: Account, plan: ImagePlan, before: ImageContents, after: ImageContents
) -> None:
    # A profile of other channels is used up where RGB is made of them.
    if before.profile and not plan.kind.startswith(("cmyk", "LAB")):
        account.kept_or_named("ICC profile", before.profile == after.profile, "profile")
    if plan.family != "PNG":
        return
    # A profile says the same where there is none of the file's own.
    made = bool(after.profile) and not before.profile
    chunks = after.chunks
    rows = (
        ("gamma", "gAMA and cHRM", {b"gAMA": GAMMA, b"cHRM": PRIMARIES}),
        ("cICP", "cICP", {b"cICP": CICP}),
        ("mDCV", "mDCV and cLLI", {b"mDCV": MASTERING, b"cLLI": LIGHT}),
        ("sRGB", "sRGB", {b"sRGB": b"\0"}),
    )
    for extra, row, wanted in rows:
        if extra not in plan.extras:
            continue
        if all(chunks.get(kind) == data for kind, data in wanted.items()):
            account.fate(row, KEPT)
        elif extra == "sRGB" and plan.output != ".png":
            account.fate(row, KEPT)  # what says nothing is taken for sRGB
        elif extra == "gamma" and before.profile and after.profile == before.profile:
            account.fate(row, KEPT)  # PNG says that a profile goes before them
        elif made and extra != "mDCV":
            account.fate(row, CONVERTED)
        else:
            what = {"sRGB": "gamma"}.get(extra, extra)
            account.kept_or_named(row, False, what, plan.output)


def _check_exif(
    account: Account, plan: ImagePlan, before: ImageContents, after: ImageContents
) -> None:
    if after.exif.get("orientation", 1) != 1 and plan.family != "AVIF":
        account.fault("turned once more: the output has an orientation", str(after.exif))
    if "EXIF" not in plan.extras:
        return
    keys = [key for key in ("make", "f-number", "GPS") if key in before.exif]
    lost = [key for key in keys if after.exif.get(key) != before.exif[key]]
    if keys:
        account.kept_or_named("EXIF", not lost, "EXIF", ", ".join(lost))
    if plan.orientation > 1:
        account.fate("orientation of EXIF", CONVERTED)
