"""Compares subtitles, covers, attachments, data, chapters and tags of a video with its copy's."""

from fractions import Fraction

from tests.formats.audio_check import check_language
from tests.formats.outcome import CONVERTED, KEPT, LOST, Account
from tests.formats.video_contents import Track, VideoContents
from tests.formats.video_maker import CHAPTERS, FONT, OWN_TAGS, TAGS, Truth
from tests.formats.video_plans import VideoPlan

MILLISECOND = Fraction(1, 1000)  # the unit of the subtitles that are made
CHAPTER = Fraction(1, 50)  # seconds by which a chapter may begin elsewhere; half a frame


def check_streams(
    account: Account, plan: VideoPlan, truth: Truth, before: VideoContents, after: VideoContents
) -> None:
    """Account for everything but the video and the sound."""
    _check_texts(account, plan, truth, before, after)
    _check_other_streams(account, before, after)
    _check_chapters(account, before, after)
    _check_tags(account, plan, before, after)


def _check_texts(
    account: Account, plan: VideoPlan, truth: Truth, before: VideoContents, after: VideoContents
) -> None:
    left = after.of_kind("subtitle")
    tracks = before.of_kind("subtitle")
    start = after.times()[0]
    for track, name, lines in zip(tracks, plan.texts, truth.texts):
        row = f"subtitles: {name}"
        tokens = [] if name in ("pgs", "dvb") else [text.encode() for _, text in lines]
        copy = next((other for other in left if _same_text(track, other, tokens)), None)
        if copy is None:
            account.kept_or_named(row, False, "subtitles", f"stream {track.number}", track.number)
            continue
        left.remove(copy)
        if copy.codec == track.codec:
            account.fate(row, KEPT)
        else:
            said = account.lines.name("subtitles", track.number)
            account.fate(row, CONVERTED if said else LOST)
            if not said:
                account.fault(f"{row}: became {copy.codec or 'unknown'} without a line")
        said = [time for time, data in copy.packets if time is not None and _says(data, tokens)]
        tick = after.main.tick + copy.tick + before.main.tick + MILLISECOND
        for (expected, _), found in zip(lines, said):
            if plan.times != "restart" and abs(found - start - (expected - truth.start)) > tick:
                moved = float(found - start - (expected - truth.start))
                account.fault("subtitles at other times", f"{row}: {moved:.3f} s")
                break
        check_language(account, track, copy)
    for extra in left:
        account.fault("subtitles that the input does not have", extra.codec)


def _same_text(track: Track, other: Track, tokens: list[bytes]) -> bool:
    if tokens:
        return all(token in other.payload for token in tokens)
    return track.codec == other.codec and track.payload == other.payload


def _says(data: bytes, tokens: list[bytes]) -> bool:
    return any(token in data for token in tokens) if tokens else True


def _check_other_streams(account: Account, before: VideoContents, after: VideoContents) -> None:
    for track in before.covers():
        kept = track.payload in [other.payload for other in after.covers()]
        account.kept_or_named("cover", kept, "cover", number=track.number)
    fonts = [track for track in before.of_kind("attachment") if track.payload == FONT]
    held = [(track.name, track.payload) for track in after.of_kind("attachment")]
    for font in fonts:
        account.kept_or_named(
            "attachment", (font.name, FONT) in held, "attachment", number=font.number
        )
    for kind, row in (("video", "second video"), ("data", "data")):
        payloads = [track.payload for track in after.of_kind(kind)]
        for track in before.of_kind(kind):
            if kind == "data" and before.chapters and not track.codec and _holds_chapters(track):
                continue
            code = track.tags.get("timecode")
            codes = [other.tags.get("timecode") for other in after.tracks]
            kept = track.payload in payloads and bool(track.payload)
            if code:
                kept = kept or code in (*codes, after.tags.get("timecode"))
            what = "video" if kind == "video" else "data"
            name = "timecode" if code else row
            account.kept_or_named(name, kept, what, f"stream {track.number}", track.number)


def _holds_chapters(track: Track) -> bool:
    """Whether a track is that in which MP4 and MOV keep the titles of chapters."""
    return track.tags.get("handler_name") == "SubtitleHandler"


def _check_chapters(account: Account, before: VideoContents, after: VideoContents) -> None:
    expected = [(time - before.times()[0], title) for time, title in before.chapters]
    found = [(time - after.times()[0], title) for time, title in after.chapters]
    if not expected or expected[0][1] not in CHAPTERS:
        return
    same = [title for _, title in expected] == [title for _, title in found]
    moved = [abs(a[0] - b[0]) for a, b in zip(expected, found)]
    if same and found[0][0] <= expected[0][0]:
        moved[0] = Fraction(0)  # in MP4 the first chapter begins with the file
    same = same and max(moved) <= CHAPTER
    account.kept_or_named("chapters", same, "chapters", f"{expected} became {found}")


def _check_tags(
    account: Account, plan: VideoPlan, before: VideoContents, after: VideoContents
) -> None:
    for key, value in (TAGS | OWN_TAGS.get(plan.suffix, {})).items():
        if value in before.tags.values():
            row = "tags: usual ones" if key in TAGS else "tags: others"
            kept = value in after.tags.values()
            account.kept_or_named(row, kept, "tags", f"{key}={value}")
    if before.main.language:
        account.kept_or_named(
            "language of a stream",
            before.main.language == after.main.language,
            "tags",
            f"the video: {before.main.language} became {after.main.language or 'none'}",
        )
