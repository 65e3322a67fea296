"""Compares the sound of a video with that of its enhanced copy."""

import contextlib
import pathlib
from fractions import Fraction

import av
import numpy as np

from tests.formats.outcome import CONVERTED, KEPT, LOST, REPORTED, Account
from tests.formats.video_contents import Track, VideoContents

EDIT = Fraction(1, 1000)  # the unit in which FFmpeg's MP4 and MOV say when a stream begins
# MP4 has one name for all layers, and FFmpeg tells them apart by their packets or not at all.
MPEG_AUDIO = {"mp2", "mp2float", "mp3", "mp3float"}
# What ``ffmpeg -c copy`` puts into a container and reads again
COPIED = {
    ".mp4": {"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac", "mp2"},
    ".mov": {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_mulaw"},
    ".mkv": {"aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "alac", "mp2", "pcm_s16le"},
    ".webm": {"opus", "vorbis"},
    ".ts": {"aac", "mp3", "ac3", "eac3", "mp2"},
}
# An encoder may shift and pad sound by two of its frames, and by what a container rounds.
FRAMES, ROUNDED = 2048, 0.03  # samples, seconds


def check_sounds(
    account: Account,
    names: list[str],
    before: VideoContents,
    after: VideoContents,
    expected: list[list[Fraction | None]],
    paths: tuple[pathlib.Path, pathlib.Path],
    step: Fraction = Fraction(0),
) -> None:
    """Account for every track of sound.

    Args:
        account: Receives what is found.
        names: The codecs of the tracks, for the table.
        before: The input.
        after: The output.
        expected: For each track the seconds of its packets after the first frame.
        paths: The two files.
        step: Seconds by which recordings that are joined may move against each other.
    """
    left = after.of_kind("audio")
    tracks = before.of_kind("audio")
    copies = [_copy_of(track, left) for track in tracks]
    for track, copy, name, times in zip(tracks, copies, names, expected):
        row = f"audio: {name}"
        if copy is not None:
            account.fate(row, KEPT)
            _check_times(account, row, times, (track, copy), after, step)
            check_language(account, track, copy)
            continue
        made = left.pop(0) if left else None
        said = account.lines.name("audio", track.number)
        if made is None:
            account.fate(row, REPORTED if said else LOST)
            if not said:
                account.fault(f"{row}: lost in silence", f"stream {track.number}")
        elif not said:
            account.fate(row, LOST)
            what = f"{track.codec} became {made.codec or 'an unknown codec'}"
            account.fault(f"{row}: other packets without a line", what)
        else:
            account.fate(row, CONVERTED)
            if name in COPIED[paths[1].suffix]:
                account.fault("converted though it can be copied", f"{row} into {paths[1].suffix}")
            _check_converted(account, row, (track, made), (before, after), paths)
            check_language(account, track, made)
    for extra in left:
        account.fault("a track of sound that the input does not have", extra.codec)


def _copy_of(track: Track, left: list[Track]) -> Track | None:
    """Take the track with the same bytes from ``left``."""
    for other in left:
        same = other.codec == track.codec or {other.codec, track.codec} <= MPEG_AUDIO
        if same and other.payload == track.payload:
            left.remove(other)
            return other
    return None


def _check_times(
    account: Account,
    row: str,
    expected: list[Fraction | None],
    tracks: tuple[Track, Track],
    after: VideoContents,
    step: Fraction,
) -> None:
    track, copy = tracks
    first = after.times()[0]
    found = [None if time is None else time - first for time, _ in copy.packets]
    if len(found) != len(expected):  # PCM may be cut in other places
        found, expected = found[:1], expected[:1]
    pairs = [(a, b) for a, b in zip(expected, found) if a is not None and b is not None]
    # of both streams of the output, and of the input where its times are coarser
    tick = after.main.tick + max(copy.tick, track.tick) + EDIT + step
    moved = max((abs(a - b) for a, b in pairs), default=Fraction(0))
    if moved > tick:
        account.fault(
            "sound out of step with the video", f"{row}: {float(moved):.3f} s, a tick is {tick}"
        )


def check_language(account: Account, track: Track, other: Track) -> None:
    """Check the language of a stream against that of its copy."""
    if track.language:
        account.kept_or_named(
            "language of a stream",
            track.language == other.language,
            "tags",
            f"stream {track.number}: {track.language} became {other.language or 'none'}",
        )


def _check_converted(
    account: Account,
    row: str,
    tracks: tuple[Track, Track],
    contents: tuple[VideoContents, VideoContents],
    paths: tuple[pathlib.Path, pathlib.Path],
) -> None:
    before, after = contents
    one, two = (_decoded(path, each) for path, each in zip(paths, tracks))
    if not len(two[0]):
        account.fault("converted sound cannot be decoded", row)
        return
    lengths = [len(samples) / rate for samples, rate, _ in (one, two)]
    allowed = ROUNDED + FRAMES / min(one[1], two[1])
    if abs(lengths[0] - lengths[1]) > allowed:
        account.fault("converted sound is of another length", f"{row}: {lengths}")
    loud = [float(np.sqrt(np.mean(samples**2))) for samples, _, _ in (one, two)]
    if not 0.6 < loud[1] / max(loud[0], 1e-9) < 1.6:
        account.fault("converted sound is of another loudness", f"{row}: {loud}")
    # What a decoder gives first, since some formats begin with packets that only prepare it
    moved = (two[2] - after.times()[0]) - (one[2] - before.times()[0])
    if abs(moved) > allowed:
        text = f"{row}: {float(moved):.3f} s"
        account.fault("converted sound out of step with the video", text)


def _decoded(path: pathlib.Path, track: Track) -> tuple[np.ndarray, int, Fraction]:
    """The samples of the first channel, from -1 to 1, their rate, and when they begin."""
    parts, rate, start = [np.zeros(0)], 48000, None
    with av.open(str(path), metadata_errors="replace") as container:
        resampler = av.AudioResampler(format="fltp")
        for packet in container.demux(container.streams[track.number]):
            # The last frame of TTA in Matroska is too short for FFmpeg, and AAC of six channels
            # fails once it has ended.
            with contextlib.suppress(av.error.FFmpegError):
                for frame in packet.decode():
                    if start is None:
                        start = frame.pts * frame.time_base
                    rate, frame.pts = frame.sample_rate, None
                    parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(parts), rate, start or Fraction(0)
