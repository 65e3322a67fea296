"""Enhancing films: frames per second of the command over those of the network alone, and FFmpeg's unsharp mask beside it.

    python -m benchmarks.video --model=RUN                  # about five minutes on two idle cores
    python -m benchmarks.video --model=RUN --data=FOLDER    # a clip from own photographs, of at least 2 megapixels

A clip in 1080p that pans over photographs is made; then what the command does with it (read, decode, network on luma, code,
join), against the bare network on frames of three colours, decoded and in pairs. Beside it what a user may take instead: the
same decoder and encoder with FFmpeg's filter ``unsharp`` (5x5, amount 1, on luma) between them; and for both the gain in MOS of
frames of the two films and what it costs. All is interleaved in one process and the least time counts.
"""

import io
import os
import pathlib
import tempfile
from fractions import Fraction

import av
import numpy as np
import tensorflow as tf
from absl import app, flags
from rich.console import Console

from benchmarks.inputs import define_data_flag, define_model_flag, images, repeated
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf.cli.progress import RunProgress
from rts_tf.enhance.__main__ import AUTO_TILE
from rts_tf.enhance.jobs import Job
from rts_tf.enhance.video import Settings, enhance_video, megapixels_of
from rts_tf.images.dtypes import to_float
from rts_tf.inference import load
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.viqet import measure
from rts_tf.networks.precision import resolve_precision
from rts_tf.video.reader import probe
from rts_tf.video.writer import Coding, add_video

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("frames", 48, "Length of the clip.")
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")

WIDTH, HEIGHT, PHOTOS = 1920, 1080, 3
PAN = 2  # pixels a frame
PAIRS = 4  # of frames through the bare network in a round


def main(_) -> None:
    precision = resolve_precision("auto")
    model = load(FLAGS.model, precision, AUTO_TILE[precision])
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        film, enhanced, masked = root / "clip.mp4", root / "enhanced.mp4", root / "masked.mp4"
        clip(film)
        pairs = np.stack(pictures(film, [0, 1]))
        forward = tf.function(
            lambda x: model.network(x, training=False),
            [tf.TensorSpec([None, None, None, 3], tf.float32)],
        )
        pair = tf.constant(to_float(pairs))

        def ours() -> None:
            enhanced.unlink(missing_ok=True)
            job = Job(str(film), enhanced, film.name, film=True)
            progress = RunProgress({"films": megapixels_of(job)}, Console(file=io.StringIO()))
            enhance_video(job, model, Settings(), progress, "clip")

        counts = {"command": FLAGS.frames, "bare network": 2 * PAIRS, "mask": FLAGS.frames}
        parts = {
            "command": ours,
            "bare network": lambda: [forward(pair).numpy() for _ in range(PAIRS)],
            "mask": lambda: mask(film, masked),
        }
        least = {part: Seconds(np.inf, np.inf) for part in parts}
        forward(pair)
        for _ in range(FLAGS.rounds):
            for part, function in parts.items():
                a_frame = np.array(seconds_of(function)) / counts[part]
                least[part] = Seconds(*np.minimum(a_frame, least[part]))
                print(f"{part}: {1 / a_frame[0]:.3f} frames/s", flush=True)
        report(least, film, {"network": enhanced, "mask": masked})


def report(least: dict[str, Seconds], film: pathlib.Path, made: dict[str, pathlib.Path]) -> None:
    ours, bare = least["command"], least["bare network"]
    speeds = f"{1 / ours.clock:.2f} of {1 / bare.clock:.2f} frames/s"
    processor = f"{ours.processor:.2f} / {bare.processor:.2f} s a frame"
    lines = [Line("command / bare network", bare.clock / ours.clock, ">=", 0.75, speeds)]
    lines.append(
        Line("the same by processor time", bare.processor / ours.processor, ">=", 0.75, processor)
    )
    show(f"Enhancing {FLAGS.frames} frames of {WIDTH}x{HEIGHT}, {os.cpu_count()} cores", lines)
    places = [int((i + 0.5) * FLAGS.frames / PHOTOS) for i in range(PHOTOS)]
    before = pictures(film, places)
    for way, part in {"network": "command", "mask": "mask"}.items():
        figures = []
        for one, two in zip(before, pictures(made[way], places), strict=True):
            nature = measure_artifacts(to_float(two), to_float(one))
            figures.append(
                (
                    measure(two).mos - measure(one).mos,
                    nature.clipped_percent,
                    nature.flat_noise_gain,
                )
            )
        mos, clipped, noise = np.nanmean(figures, axis=0)
        size = made[way].stat().st_size / film.stat().st_size
        print(
            f"{way}: {1 / least[part].clock:.2f} frames/s; MOS {mos:+.3f}, clipped {clipped:.2f} %, "
            f"noise of flat areas x{noise:.2f}, file x{size:.2f}"
        )


def clip(path: pathlib.Path) -> None:
    """Pan over ``PHOTOS`` photographs, one after the other."""
    source = images(FLAGS.data)
    each = -(-FLAGS.frames // PHOTOS)
    with av.open(str(path), "w") as container:
        video = container.add_stream(
            "libx264", rate=Fraction(24), width=WIDTH, height=HEIGHT, options={"crf": "14"}
        )
        video.codec_context.color_range, video.codec_context.colorspace = 1, 1
        for i in range(FLAGS.frames):
            if i % each == 0:
                name = source.names[i // each]
                picture = repeated(source.read(name), HEIGHT, WIDTH + PAN * each)
            left = PAN * (i % each)
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture[:, left : left + WIDTH]), "rgb24"
            )
            frame = frame.reformat(
                format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            frame.pts = i
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


def mask(film: pathlib.Path, masked: pathlib.Path) -> None:
    """The film through FFmpeg's unsharp mask and the encoder that the command takes."""
    kind = probe(film)
    with av.open(str(film)) as source, av.open(str(masked), "w") as output:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        video, graph = add_video(output, kind, Coding("h264", 17)), av.filter.Graph()
        steps = [
            graph.add_buffer(template=stream),
            graph.add("unsharp", "5:5:1.0:5:5:0"),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*steps).configure()
        for frame in source.decode(stream):
            graph.push(frame)
            output.mux(video.encode(graph.pull()))
        output.mux(video.encode(None))


def pictures(film: pathlib.Path, places: list[int]) -> list[np.ndarray]:
    """Frames of these numbers as uint8 [H, W, 3]."""
    with av.open(str(film)) as container:
        found = {i: frame for i, frame in enumerate(container.decode(video=0)) if i in places}
        return [
            found[i].reformat(format="rgb24", src_colorspace="ITU709").to_ndarray() for i in places
        ]


if __name__ == "__main__":
    app.run(main)
