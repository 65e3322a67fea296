"""Enhancing video: frames per second of the command over those of the network alone.

    python -m benchmarks.video --model=RUN                # about five minutes on two idle cores
    python -m benchmarks.video --model=RUN --data=FOLDER  # own images, of at least 2 megapixels

The benchmark makes a clip in 1080p that pans over images. It compares what the command does with it
(read, decode, network on luma, encode, join) with the bare network on RGB frames, which are decoded
already and go through it in pairs. Beside it stands an alternative: the same decoder and encoder
with FFmpeg's filter ``unsharp`` (5x5, amount 1, on luma) between them. For both, it reports the
gain in MOS of frames of the two videos and what that costs. The filter runs in a process of its
own. All parts are interleaved, and the shortest time of each part counts.
"""

import contextlib
import os
import pathlib
import tempfile

import av
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.clips import HEIGHT, IMAGES, WIDTH, enhance, write_clip
from benchmarks.inputs import define_data_flag, define_model_flag
from benchmarks.peer_process import PeerProcess
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf.enhance.weights import AUTO_TILE
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer, load
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.viqet import measure
from rts_tf.networks.precision import resolve_precision

FLAGS = flags.FLAGS
define_model_flag()
define_data_flag()
flags.DEFINE_integer("frames", 48, "Length of the clip.")
flags.DEFINE_integer("rounds", 3, "How often everything is measured.")

PAIRS = 4  # pairs of frames through the bare network in a round


def main(_: list[str]) -> None:
    """Measure and print the table."""
    precision = resolve_precision("auto")
    model = load(FLAGS.model, "auto", AUTO_TILE[precision])
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as processes:
        root = pathlib.Path(name)
        video, enhanced, sharpened = (
            root / f"{part}.mp4" for part in ("clip", "enhanced", "sharpened")
        )
        write_clip(video, FLAGS.data, FLAGS.frames)
        forward = bare_network(model, video)
        arguments = {"video": str(video), "sharpened": str(sharpened)}
        peer = processes.enter_context(PeerProcess("benchmarks.unsharp_video_peer", arguments))
        parts = {
            "command": lambda: seconds_of(lambda: enhance(video, enhanced, model)),
            "bare network": lambda: seconds_of(lambda: [forward() for _ in range(PAIRS)]),
            "unsharp mask": lambda: peer.seconds("unsharp"),
        }
        counts = {"command": FLAGS.frames, "bare network": 2 * PAIRS, "unsharp mask": FLAGS.frames}
        least = {part: Seconds(np.inf, np.inf) for part in parts}
        forward()  # warms up
        for _ in range(FLAGS.rounds):
            for part, measure_part in parts.items():
                per_frame = np.array(measure_part()) / counts[part]
                least[part] = Seconds(*np.minimum(per_frame, least[part]))
                print(f"{part}: {1 / per_frame[0]:.3f} frames/s", flush=True)
        report_speed(least["command"], least["bare network"])
        report_quality(least, video, {"command": enhanced, "unsharp mask": sharpened})


def bare_network(model: Enhancer, video: pathlib.Path):
    """Return a function that computes SR(x) of the first two frames."""
    signature = [tf.TensorSpec([None, None, None, 3], tf.float32)]
    forward = tf.function(lambda x: model.network(x, training=False), signature)
    pair = tf.constant(to_float(np.stack(frames_of(video, [0, 1]))))
    return lambda: forward(pair).numpy()


def report_speed(command: Seconds, bare: Seconds) -> None:
    """Print the table; both times are those of one frame."""
    speeds = f"{1 / command.clock:.2f} of {1 / bare.clock:.2f} frames/s"
    processor = f"{command.processor:.2f} / {bare.processor:.2f} s per frame"
    ratio = bare.processor / command.processor
    lines = [
        Line("command / bare network", bare.clock / command.clock, ">=", 0.75, speeds),
        Line("the same by processor time", ratio, ">=", 0.75, processor),
    ]
    show(f"Enhancing {FLAGS.frames} frames of {WIDTH}x{HEIGHT}, {os.cpu_count()} cores", lines)


def report_quality(
    least: dict[str, Seconds], video: pathlib.Path, made: dict[str, pathlib.Path]
) -> None:
    """Print what each way gains and costs.

    Args:
        least: The times of a frame.
        video: The clip.
        made: The videos that each way made of it.
    """
    numbers = [int((i + 0.5) * FLAGS.frames / IMAGES) for i in range(IMAGES)]
    before = frames_of(video, numbers)
    for part, path in made.items():
        rows = []
        for one, two in zip(before, frames_of(path, numbers), strict=True):
            artifacts = measure_artifacts(to_float(two), to_float(one))
            gain = measure(two).mos - measure(one).mos
            rows.append((gain, artifacts.clipped_percent, artifacts.flat_noise_gain))
        mos, clipped, noise = np.nanmean(rows, axis=0)
        size = path.stat().st_size / video.stat().st_size
        print(
            f"{part}: {1 / least[part].clock:.2f} frames/s; MOS {mos:+.3f}, clipped {clipped:.2f}"
            f" %, noise of flat areas x{noise:.2f}, file x{size:.2f}"
        )


def frames_of(video: pathlib.Path, numbers: list[int]) -> list[np.ndarray]:
    """The frames with these numbers as uint8 [H, W, 3]."""
    with av.open(str(video)) as container:
        frames = enumerate(container.decode(video=0))
        found = {i: frame for i, frame in frames if i in numbers}
        return [
            found[i].reformat(format="rgb24", src_colorspace="ITU709").to_ndarray() for i in numbers
        ]


if __name__ == "__main__":
    app.run(main)
