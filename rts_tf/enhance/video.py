"""Films through a network: decoded, enhanced and coded side by side, in segments, so that a film that was stopped goes on.

Beside the film to write lies a hidden directory, which goes when the film is there:

    settings.json    what decides about every bit: another film, network, strength or codec begins anew
    00000.nut ...    the enhanced frames, SEGMENT in each; what is there under its own name is whole
    joined.mp4       the film, on the way to its place by one rename

All frames come from the decoder in every run, and segments always begin at the same ones, each with an encoder of its own: so
the film of a run that was killed is that of an unbroken one, frame by frame.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import pathlib
import queue
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import av
import tensorflow as tf

from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.yuv import FRAMES_AT_ONCE, YuvEnhancer
from rts_tf.errors import RtsError, VideoError
from rts_tf.inference import Enhancer
from rts_tf.storage import lock, publish, read_json_or_none, write_text
from rts_tf.video.reader import (
    Film,
    Frame,
    Gap,
    Survey,
    bits_of,
    clock,
    frames,
    probe,
    suited,
    survey,
)
from rts_tf.video.writer import (
    ENCODERS,
    THREADS,
    Coding,
    container_of,
    join,
    rehearse,
    times_of,
    write_segment,
)

SEGMENT = 48  # frames, about two seconds: what a kill costs, and how far apart the key frames are
DECODED = 6  # frames that wait for the network
ENHANCED = 24  # and for the encoder, which works in bursts


class Settings(NamedTuple):
    """What the user chose."""

    strength: float = 1.0
    chroma: bool = False
    codec: str = "auto"  # or one of ENCODERS
    crf: int | None = None


def enhance_videos(
    jobs: list[Job], model: Enhancer, settings: Settings, progress: RunProgress
) -> tuple[list[str], list[str]]:
    """Enhance every film.

    Args:
        progress: with ``megapixels_of`` each film under "films".

    Returns:
        The errors of the films that failed, and remarks on others.

    Raises:
        RtsError: no room is left on the disk.
        Interrupted: the segments that are written are whole; the next call goes on from there.
    """
    errors, remarks = [], []
    for i, job in enumerate(jobs):
        try:
            found = enhance_video(job, model, settings, progress, f"film {i + 1}/{len(jobs)}")
            remarks += [f"{job.source}: {remark}" for remark in found]
        except VideoError as error:
            errors.append(str(error))
        except (MemoryError, tf.errors.ResourceExhaustedError):
            errors.append(f"{job.source}: there is not enough memory for it; name a smaller --tile")
        except (OSError, av.error.FFmpegError) as error:
            reason = f"{job.target}: cannot be written ({error.strerror or error})"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise RtsError(
                    f"{reason}. What was done is kept; make room and run the command again."
                ) from None
            errors.append(reason)
    return errors, remarks


def megapixels_of(job: Job) -> float:
    """About how many there are in all frames of a film, 0 where it cannot be read."""
    try:
        film = probe(job.source)
    except VideoError:
        return 0.0
    return film.estimate * _megapixels(film)


def enhance_video(
    job: Job, model: Enhancer, settings: Settings, progress: RunProgress, label: str
) -> list[str]:
    """Enhance one film, or what is left of it; returns remarks. Raises as ``enhance_videos``, and VideoError."""
    film = probe(job.source)
    coding = _coding(film, job, settings)
    film = suited(film, coding.formats())
    network = YuvEnhancer(model, film, settings.strength, settings.chroma)
    found = survey(film)
    progress.skip("films", (film.estimate - found.packets) * _megapixels(film))
    job.target.parent.mkdir(parents=True, exist_ok=True)
    with Work(job, _record(film, found, coding, settings, model)) as work:
        if work.replaced:
            return ["was there already"]
        outline = rehearse(film, job.target, work.root / f"trial{job.target.suffix}", coding)
        segments = work.segments(film)
        first = sum(len(times_of(segment, film)) for segment in segments)
        progress.skip("films", first * _megapixels(film))
        done = first
        gaps: list[Gap] = []

        def on_frames(count: int) -> None:
            nonlocal done
            done += count
            text = f"{label}, frame {done} of {max(done, found.packets)}"
            progress.advance("films", count * _megapixels(film), text, count, "frames")

        with contextlib.closing(_ahead(frames(film, first, gaps), DECODED)) as decoded:
            enhanced = _enhanced(decoded, network, on_frames)
            _write(enhanced, len(segments), work, film, coding, outline.global_header)
        work.publish(film, found, coding)
    return _remarks(film, gaps) + outline.remarks


def _coding(film: Film, job: Job, settings: Settings) -> Coding:
    codec = settings.codec
    if codec == "auto":  # hardware decodes ten bits of HEVC, not of H.264
        codec = (
            "vp9"
            if container_of(job.target) == "webm"
            else "hevc"
            if bits_of(film.format) > 8
            else "h264"
        )
    if settings.crf is not None and ENCODERS[codec].crf is None:
        raise VideoError(f"{job.target}: {codec} has no --crf")
    return Coding(codec, ENCODERS[codec].crf if settings.crf is None else settings.crf)


def _megapixels(film: Film) -> float:
    return film.width * film.height / 1e6


def _remarks(film: Film, gaps: list[Gap]) -> list[str]:
    remarks = []
    if film.source_format.replace("yuvj", "yuv") != film.format:
        remarks.append(f"pixel format {film.source_format} became {film.format}")
    if film.hdr:
        remarks.append(
            "what it says about the brightness of its display (HDR metadata) was left out"
        )
    if gaps:
        length, first = f"{sum(gap.length for gap in gaps):.1f} s", f"at {clock(gaps[0].start)}"
        what = (
            f"a gap of {length} {first}"
            if len(gaps) == 1
            else f"{len(gaps)} gaps of {length} in all, the first {first}"
        )
        remarks.append(f"{what}, where frames could not be decoded")
    return remarks


def _record(
    film: Film, found: Survey, coding: Coding, settings: Settings, model: Enhancer
) -> dict[str, Any]:
    """All that decides about the frames, and with what they are coded."""
    weights = hashlib.sha256(
        " ".join(type(layer).__name__ for layer in model.network.layers).encode()
    )
    for array in model.network.get_weights():
        weights.update(array.tobytes())
    return {
        "film": found.digest,
        "format": film.format,
        "network": weights.hexdigest(),
        "precision": sorted({str(layer.compute_dtype) for layer in model.network.layers}),
        "strength": settings.strength,
        "chroma": settings.chroma,
        "codec": [coding.codec, coding.crf, *sorted(ENCODERS[coding.codec].options.items())],
        "frames_in_a_segment": SEGMENT,
        "encoder_threads": THREADS,
        "tensorflow": tf.__version__,
        "ffmpeg": sorted(av.library_versions.items()),
    }


class Work:
    """The hidden directory of a film; a context manager that keeps other processes out.

    Attributes:
        replaced: a run that was killed at its very end had put the enhanced film in place of its source already.
    """

    def __init__(self, job: Job, record: dict[str, Any]):
        """Go on where ``record`` was recorded, else begin anew.

        Raises:
            RtsError: another process works on it.
            OSError: it cannot be made.
        """
        self.root, self._target = root_of(job.target), job.target
        self.root.mkdir(exist_ok=True)
        self._lock = lock(self.root, "output", "enhances a film there")
        record, file = json.loads(json.dumps(record)), self.root / "settings.json"
        recorded = read_json_or_none(file)
        self.replaced = False
        if (
            recorded is not None
            and recorded != record
            and os.path.realpath(job.source) == os.path.realpath(job.target)
        ):
            others = recorded | {"film": record["film"]}
            self.replaced = others == record and (self.root / "published").exists()
        for leftover in self.root.iterdir():
            half_written = leftover.name.startswith((".", "trial", "joined"))
            if (half_written or recorded != record) and leftover.name != ".lock":
                leftover.unlink()
        if recorded != record:
            write_text(file, json.dumps(record, indent=1))

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None or issubclass(kind, VideoError) or not self.segment(0).exists():
            self._lock.remove_directory()
        self._lock.close()

    def segment(self, number: int) -> pathlib.Path:
        return self.root / f"{number:05d}.nut"

    def segments(self, film: Film) -> list[pathlib.Path]:
        """Those that are there, up to the first that is missing or damaged."""
        found = []
        while times_of(self.segment(len(found)), film):
            found.append(self.segment(len(found)))
        return found

    def publish(self, film: Film, found: Survey, coding: Coding) -> None:
        """Join the segments, and put the film in its place."""
        joined = self.root / f"joined{self._target.suffix}"
        join(film, found, self.segments(film), joined, coding)
        (self.root / "published").touch()
        publish(joined, self._target)


def root_of(target: pathlib.Path) -> pathlib.Path:
    """The hidden directory beside a film to write."""
    return target.with_name(f".{target.name}.rts")


def clear(target: pathlib.Path) -> None:
    """Remove what a run that was killed at its very end left beside the finished film."""
    if (root_of(target) / "published").exists():
        shutil.rmtree(root_of(target), ignore_errors=True)


# --- threads


class _GivenUp(Exception):
    """The other side of a handover has ended."""


class _Handover:
    """A bounded queue from one thread to another, either of which may end early."""

    def __init__(self, size: int):
        self._queue, self._given_up = queue.Queue(size), threading.Event()

    def put(self, item: Any) -> None:
        """``None`` ends it, an exception is raised on the other side. Raises _GivenUp."""
        while not self._given_up.is_set():
            with contextlib.suppress(queue.Full):
                return self._queue.put(item, timeout=0.1)
        raise _GivenUp

    def __iter__(self) -> Iterator:
        while (item := self._queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def give_up(self) -> None:
        self._given_up.set()


def _ahead(items: Iterable, count: int) -> Iterator:
    """``items``, made in a thread of their own, at most ``count`` before they are taken."""
    handover = _Handover(count)

    def produce() -> None:
        try:
            for item in items:
                handover.put(item)
            handover.put(None)
        except _GivenUp:
            pass
        except BaseException as error:
            with contextlib.suppress(_GivenUp):
                handover.put(error)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(produce)
        try:
            yield from handover
        finally:
            handover.give_up()


def _enhanced(
    decoded: Iterable[Frame], network: YuvEnhancer, on_frames: Callable[[int], None]
) -> Iterator[Frame]:
    """The frames through the network, always so many at once: the last is repeated if it is alone."""
    decoded = iter(decoded)
    while group := list(itertools.islice(decoded, FRAMES_AT_ONCE)):
        filled = group + group[-1:] * (FRAMES_AT_ONCE - len(group))
        better = network([frame.planes for frame in filled])
        for frame, planes in zip(group, better):
            yield Frame(frame.time, planes)
        on_frames(len(group))


def _write(
    enhanced: Iterable[Frame],
    number: int,
    work: Work,
    film: Film,
    coding: Coding,
    global_header: bool,
) -> None:
    """Code the frames into the segments from ``number`` on, in a thread of its own."""
    frames_left = iter(enhanced)
    with ThreadPoolExecutor(1) as encoder:
        before: Future | None = None
        while (frame := next(frames_left, None)) is not None:
            handover = _Handover(ENHANCED)
            path = work.segment(number)

            def write(path: pathlib.Path = path, handover: _Handover = handover) -> None:
                try:
                    write_segment(path, film, coding, global_header, handover)
                finally:
                    handover.give_up()

            future = encoder.submit(write)
            try:
                for count in range(1, SEGMENT + 1):
                    handover.put(frame)
                    if before and before.done():
                        before.result()
                    if count == SEGMENT or (frame := next(frames_left, None)) is None:
                        break
                handover.put(None)
            except _GivenUp:
                future.result()
            except BaseException as error:
                with contextlib.suppress(_GivenUp):
                    handover.put(error)
                raise
            before, number = future, number + 1
        if before:
            before.result()
