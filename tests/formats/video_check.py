"""Enhances the video of a plan with strength 0 and accounts for everything that it holds."""

import gc
import pathlib
import re
import tempfile
from fractions import Fraction

import av
import numpy as np

from tests.formats.audio_check import check_sounds
from tests.formats.outcome import CONVERTED, KEPT, LOST, REFUSED, Account, Lines, Outcome
from tests.formats.running import Run, left_behind, reason_of_refusal, run
from tests.formats.stream_check import check_streams
from tests.formats.video_contents import (
    VideoContents,
    alpha_of,
    identical,
    likeness,
    read_video,
    rows_of,
)
from tests.formats.video_maker import Truth, make_video
from tests.formats.video_plans import VideoPlan, video_plan

ALIKE, CONVERTED_ALIKE = 30, 26  # dB
DITHERED = 17  # dB: the same for GIF, whose colours are scattered from pixel to pixel
# These store how long frames last in units of their own, and FFmpeg's writers round or fill in: the
# times are those that are read.
COUNTED = ".avi", ".gif", ".apng"
RGB, UNSPECIFIED = 0, 2  # AVColorSpace
OPEN, LIMITED = 0, 1  # AVColorRange
HDR = "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"
# A reason for a refusal: what it is about
REASONS = (
    (r"interlac", "interlaced frames"),
    (r"audio|sound", "audio: {sound}"),
    (r"subtitle", "subtitles: {text}"),
    (r"transparen|alpha", "transparency"),
    (r"width|height|odd|even|\d+x\d+", "odd size"),
    (r"pixel format", "pixel format"),
)


def check_video(number: int, seed: int) -> Outcome:
    """Make, enhance and check the video with a number."""
    plan = video_plan(number, seed)
    with tempfile.TemporaryDirectory() as folder:
        # The name says nothing that a message could be about.
        source = pathlib.Path(folder, "in", f"v{number}{plan.suffix}")
        target = pathlib.Path(folder, "out", f"v{number}{plan.output}")
        source.parent.mkdir()
        target.parent.mkdir()
        truth = make_video(plan, source)
        if plan.coding in ("hevc", "auto"):
            gc.collect()  # all encoders of libx265 in a process must have one size of blocks
        ran = run(source, target, *plan.flags())
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
        left = left_behind(target.parent, target)
        if left and (ran.code == 0 or refused):
            account.fault("something is left behind", ", ".join(left))
        lines = tuple(line.replace(folder, "") for line in account.lines.all)
    faults = tuple((kind, text.replace(folder, "")) for kind, text in account.faults)
    return Outcome(number, str(plan), plan.output, refused, tuple(account.fates), faults, lines)


def _check_refusal(
    account: Account, plan: VideoPlan, ran: Run, source: pathlib.Path, target: pathlib.Path
) -> str:
    """Check that a file was refused in a way that helps; returns the reason."""
    reason = reason_of_refusal(account, ran, source, target)
    if ran.worked:
        account.fault("refused after the work", reason)
    for pattern, row in REASONS:
        if re.search(pattern, reason, re.I):
            account.fate(row.format(sound=_named(plan, reason), text=_text(plan)), REFUSED)
            break
    else:
        account.fate(_row_of_focus(plan), REFUSED)
    return reason


def _named(plan: VideoPlan, reason: str) -> str:
    """The codec of sound that a reason names; the first one if it names none."""
    codecs = [sound.codec for sound in plan.sounds]
    return next((codec for codec in codecs if codec[:5] in reason), codecs[0] if codecs else "?")


def _text(plan: VideoPlan) -> str:
    return plan.texts[0] if plan.texts else "?"


def _row_of_focus(plan: VideoPlan) -> str:
    return f"input: {plan.suffix[1:]}"


def _check_output(
    account: Account, plan: VideoPlan, truth: Truth, source: pathlib.Path, target: pathlib.Path
) -> None:
    before, after = read_video(source), read_video(target)
    if plan.suffix in COUNTED:
        truth = truth._replace(times=[time - before.times()[0] for time in before.times()])
    assert len(before.frames) == plan.count, f"PyAV finds {len(before.frames)} frames: {plan}"
    _check_times(account, plan, truth, before, after)
    if "interlaced" in plan.extras:
        said = account.lines.name("interlacing")
        account.fate("interlaced frames", CONVERTED if said else LOST)
        if not said:
            account.fault("interlaced frames: enhanced as if they were whole")
    else:
        _check_samples(account, plan, before, after)
    _check_alpha(account, plan, (source, target), before, after)
    _check_frame_properties(account, plan, before, after)
    names = [sound.codec for sound in plan.sounds]
    expected = _sound_times(plan, truth, before)
    step = Fraction(plan.rate[1], plan.rate[0]) if plan.times == "restart" else Fraction(0)
    check_sounds(account, names, before, after, expected, (source, target), step)
    check_streams(account, plan, truth, before, after)
    account.fate(f"input: {plan.suffix[1:]}", KEPT)
    account.fate(f"video: {plan.codec.split()[0]}", KEPT)


def _check_times(
    account: Account, plan: VideoPlan, truth: Truth, before: VideoContents, after: VideoContents
) -> None:
    row = f"times: {plan.times}"
    found = after.times()
    if len(found) != len(truth.times):
        account.fate(row, LOST)
        account.fault("another number of frames", f"{len(truth.times)} became {len(found)}")
        return
    tick = before.main.tick + after.main.tick
    moved = [abs(a - found[0] - b) for a, b in zip(found, truth.times)]
    account.fate(row, KEPT if max(moved) <= tick else LOST)
    if max(moved) > tick:
        first = next(i for i, one in enumerate(moved) if one > tick)
        account.fault(
            "frames at other times",
            f"{plan.times}: frame {first} at {float(found[first] - found[0]):.3f} s instead of"
            f" {float(truth.times[first]):.3f}",
        )


def _format(frame) -> str:
    return frame.format.name.replace("yuvj", "yuv")


def _is_grey(frame: av.VideoFrame) -> bool:
    return frame.format.name.startswith("gray")


def _neutral(frame: av.VideoFrame) -> bool:
    """Whether a YUV frame shows grey alone, as most encoders store grey."""
    if not frame.format.name.startswith("yuv"):
        return False
    bits = max(component.bits for component in frame.format.components)
    kind = np.uint8 if bits == 8 else np.uint16
    return all((chroma.view(kind) == 1 << bits - 1).all() for chroma in rows_of(frame)[1:])


def _grey(frame: av.VideoFrame) -> av.VideoFrame:
    """The luma of a frame as a frame."""
    if _is_grey(frame):
        return frame
    bits = max(component.bits for component in frame.format.components)
    name = "gray" if bits == 8 else f"gray{bits}le"
    result = av.VideoFrame(frame.width, frame.height, name)
    plane = np.frombuffer(result.planes[0], np.uint8).reshape(frame.height, -1)
    luma = rows_of(frame)[0]
    plane[:, : luma.shape[1]] = luma
    result.color_range = frame.color_range
    return result


def _check_samples(
    account: Account, plan: VideoPlan, before: VideoContents, after: VideoContents
) -> None:
    one, two = before.frames[0], after.frames[0]
    pairs = list(zip(before.frames, after.frames))
    row = f"pixels: {_kind_of_pixels(plan, one)}"
    if (one.width, one.height) != (two.width, two.height):
        if not account.kept_or_named("rotation", False, "rotation", "the size is another"):
            account.fault("another size", f"{two.width}x{two.height}")
        return
    if _is_grey(one) and not _is_grey(two) and _neutral(two):
        pairs = [(_grey(a), _grey(b)) for a, b in pairs]
        one, two = pairs[0]
    if _format(one) != _format(two).replace("yuva", "yuv"):  # of VP9, FFmpeg shows no alpha
        what = f"{one.format.name} became {two.format.name}"
        said = account.lines.name("pixel format")
        account.fate(row, CONVERTED if said else LOST)
        if not said:
            account.fault("another pixel format without a line", what)
        worst = min(likeness(a, b) for a, b in pairs)
        if worst < (DITHERED if plan.codec == "gif" else CONVERTED_ALIKE):
            account.fault("converted frames look different", f"{what}, {worst:.1f} dB")
        return
    account.fate(row, KEPT)
    eight = max(component.bits for component in one.format.components) == 8
    if plan.coding == "ffv1" or (plan.coding == "h264 0" and eight):
        different = [i for i, (a, b) in enumerate(pairs) if not identical(a, b)]
        if different:
            account.fault(
                "frames differ though strength is 0 and the codec is lossless",
                f"{len(different)} of {len(pairs)}, {plan.model}, {one.format.name}",
            )
        return
    worst = min(likeness(a, b) for a, b in pairs)
    if worst < ALIKE:
        account.fault("frames look different", f"{worst:.1f} dB, {one.format.name}")


def _kind_of_pixels(plan: VideoPlan, first) -> str:
    """How the table calls the pixels of a video."""
    name, bits = first.format.name, max(c.bits for c in first.format.components)
    if first.format.is_rgb:
        colour = "RGB"
    elif name.startswith("gray"):
        colour = "grey"
    else:
        chroma = re.search(r"4\d\d|41\d", name)
        colour = ":".join(chroma[0]) if chroma else name
    return f"{colour}, {bits} bits"


def _check_alpha(
    account: Account,
    plan: VideoPlan,
    paths: tuple[pathlib.Path, pathlib.Path],
    before: VideoContents,
    after: VideoContents,
) -> None:
    expected, found = alpha_of(paths[0], before), alpha_of(paths[1], after)
    tagged = after.main.tags.get("alpha_mode") == "1"
    if tagged and found is None:
        account.fault("a tag says that there is transparency, but there is none")
    if expected is None or expected.min() > 0.99:
        return
    kept = found is not None and float(np.abs(expected - found).mean()) < 0.03
    account.kept_or_named("transparency", kept, "transparency", before.frames[0].format.name)


def _check_frame_properties(
    account: Account, plan: VideoPlan, before: VideoContents, after: VideoContents
) -> None:
    for row, what, names in (
        ("closed captions", "captions", ("A53_CC",)),
        ("active format (AFD)", "AFD", ("AFD",)),
        ("HDR metadata", "HDR", HDR),
        ("rotation", "rotation", ("DISPLAYMATRIX",)),
    ):
        expected, found = before.side_data(*names), after.side_data(*names)
        if names == HDR:  # a player takes it from the first frame, or from the header
            expected, found = sorted(set(expected)), sorted(set(found))
        if names == ("DISPLAYMATRIX",):
            expected, found = expected[:1], found[:1]
        if expected:
            counts = f"{len(expected)} became {len(found)}"
            account.kept_or_named(row, expected == found, what, counts)
        elif found:
            account.fault(f"{row}: the input has none")
    if before.aspect != 1 or after.aspect != 1:
        account.kept_or_named(
            "shape of a pixel",
            before.aspect == after.aspect,
            "aspect",
            f"{before.aspect} became {after.aspect}",
        )
    one, two = before.colours(), after.colours()
    converted = before.frames[0].format.is_rgb and account.lines.name("pixel format")
    row = "colour description" if {"colours", "HDR"} & set(plan.extras) else "no colour description"
    row = "full range" if one[0] == 2 else row
    if one[1] == RGB != two[1]:  # grey of an RGB codec says so
        one = (one[0], UNSPECIFIED, *one[2:])
    if not converted and states_the_range(one, two, after.main.codec):
        account.fate(row, CONVERTED)
    elif not converted:
        # Players take YUV that says nothing for limited, as VP9 without a matrix is read.
        same = one == two or (one[1:] == two[1:] and (one[0], two[0]) == (LIMITED, OPEN))
        account.kept_or_named(row, same, "colours", f"{one} became {two}")


def states_the_range(before: tuple[int, ...], after: tuple[int, ...], codec: str) -> bool:
    """Whether an open range became limited, and nothing else changed, where the codec must say one.

    Args:
        before: Range, primaries and so on as of :meth:`VideoContents.colours`.
        after: The same of the output.
        codec: FFmpeg's name of the decoder of the output.
    """
    described = set(before[1:]) != {UNSPECIFIED}
    must = described if codec == "h264" else codec != "ffv1"
    return must and (before[0], after[0]) == (OPEN, LIMITED) and before[1:] == after[1:]


def _sound_times(
    plan: VideoPlan, truth: Truth, before: VideoContents
) -> list[list[Fraction | None]]:
    """For each track of sound the seconds of its packets after the first frame.

    Where recordings are joined, the times of the second are as far from its own first frame. Sound
    that overlaps there comes right after the sound before it, since no container goes back.
    """
    video = before.times()
    starts = [video[0]]
    if plan.times == "restart":
        starts.append(video[plan.count // 2])
    found = []
    for track in before.of_kind("audio"):
        part, last, times = 0, None, []
        end = Fraction(-100)
        for time, _ in track.packets:
            if time is not None:
                if last is not None and time < last and part + 1 < len(starts):
                    part += 1
                last = time
                moved = truth.times[plan.count // 2] if part else Fraction(0)
                end = max(end, time - starts[part] + moved)
                times.append(end)
            else:
                times.append(None)
        found.append(times)
    return found
