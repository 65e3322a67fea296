"""Video in real time: the command with a network for luma against FFmpeg's unsharp mask.

    python -m benchmarks.realtime --model=fast            # about three minutes on two idle cores
    python -m benchmarks.realtime --model=RUN --frames=96

The benchmark makes a clip of 1080p in H.264 that pans over images. On one side stands the whole
command: decode, network, encode in segments, check, join. On the other stands the program ffmpeg in
a process of its own, with the filter ``unsharp`` (5x5, amount 1, on luma) between the same decoder
and the same encoder with the same settings. On both sides, what a clip of one frame takes counts as
the start and is subtracted. Rounds of the two are interleaved, and the shortest time of each
counts.

Where other programs use the machine too, processor time says more than the clock.
"""

import os
import pathlib
import subprocess
import tempfile
import time

import imageio_ffmpeg
import numpy as np
from absl import app, flags

import rts_tf
from benchmarks.clips import HEIGHT, WIDTH, enhance, write_clip
from benchmarks.inputs import define_data_flag
from benchmarks.table import Line, show
from benchmarks.timing import Seconds, seconds_of
from rts_tf.enhance.coding import Settings, with_preset_for
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.networks.precision import instruction_set
from rts_tf.video.encoders import ENCODERS, THREADS, Coding

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "fast", "A network for luma: a name, a run directory, or a file.")
define_data_flag()
flags.DEFINE_integer("frames", 240, "Length of the clip.", 2)
flags.DEFINE_integer("rounds", 5, "How often everything is measured.", 1)
flags.DEFINE_string("encoder_preset", "", "Of x264; empty: that of the command.")

LIMIT = 1.4
UNSHARP = "unsharp=5:5:1.0:5:5:0"


def main(_: list[str]) -> None:
    """Measure and print the table."""
    model = rts_tf.load(FLAGS.model)
    if not isinstance(model, LumaEnhancer):
        raise SystemExit(f"--model={FLAGS.model}: is not a network for luma")
    coding = Coding("h264", ENCODERS["h264"].crf, FLAGS.encoder_preset)
    coding = with_preset_for(model, coding)
    settings = Settings(codec=coding.codec, crf=coding.crf, preset=coding.preset)
    luma = np.zeros((HEIGHT, WIDTH), np.uint8)
    model.enhance_luma(luma)  # warms up
    with tempfile.TemporaryDirectory() as name:
        video, one_frame, enhanced, sharpened = (
            pathlib.Path(name) / f"{part}.mp4" for part in ("clip", "one", "enhanced", "sharpened")
        )
        write_clip(video, FLAGS.data, FLAGS.frames)
        write_clip(one_frame, FLAGS.data, 1)

        def seconds_of_command() -> Seconds:
            one, all_frames = (
                seconds_of(lambda source=source: enhance(source, enhanced, model, settings))
                for source in (one_frame, video)
            )
            return without_start(one, all_frames)

        parts = {
            "command": seconds_of_command,
            "unsharp": lambda: seconds_of_unsharp(video, sharpened, coding),
            "network": lambda: seconds_of_network(model, luma),
        }
        least = {part: Seconds(np.inf, np.inf) for part in parts}
        for _ in range(FLAGS.rounds):
            for part, measure in parts.items():
                per_frame = np.array(measure()) / FLAGS.frames
                least[part] = Seconds(*np.minimum(per_frame, least[part]).tolist())
                print(
                    f"{part}: {1 / per_frame[0]:.1f} frames/s,"
                    f" {1000 * per_frame[1]:.1f} ms of processor time a frame",
                    flush=True,
                )
        sizes = [path.stat().st_size / video.stat().st_size for path in (enhanced, sharpened)]
    report(least, model)
    print(f"files against the clip: command x{sizes[0]:.2f}, unsharp mask x{sizes[1]:.2f}")


def seconds_of_unsharp(video: pathlib.Path, made: pathlib.Path, coding: Coding) -> Seconds:
    """Run ffmpeg on the clip, and on one frame of it."""
    options = coding.options | {"crf": str(coding.crf), "threads": str(THREADS)}
    encoder = [word for key, value in options.items() for word in (f"-{key}", value)]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(video)]
    command += ["-vf", UNSHARP, "-c:v", coding.encoder.name, *encoder]
    one, all_frames = (
        _seconds_of_process([*command, *limit, str(made)]) for limit in (["-frames:v", "1"], [])
    )
    return without_start(one, all_frames)


def without_start(one: Seconds, all_frames: Seconds) -> Seconds:
    """Return what a clip takes beyond one frame."""
    return Seconds(all_frames.clock - one.clock, all_frames.processor - one.processor)


def _seconds_of_process(command: list[str]) -> Seconds:
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ffmpeg failed ({process.returncode})")
    return Seconds(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def seconds_of_network(model: LumaEnhancer, luma: np.ndarray) -> Seconds:
    """Run the bare network as often as there are frames."""
    return seconds_of(lambda: [model.enhance_luma(luma) for _ in range(FLAGS.frames)])


def report(least: dict[str, Seconds], model: LumaEnhancer) -> None:
    """Print the table; the times are those of one frame."""
    command, unsharp, network = least["command"], least["unsharp"], least["network"]
    speeds = f"{1 / command.clock:.1f} and {1 / unsharp.clock:.1f} frames/s"
    costs = f"{1000 * command.processor:.1f} and {1000 * unsharp.processor:.1f} ms a frame"
    lines = [
        Line(
            "time of the command / of the unsharp mask",
            command.clock / unsharp.clock,
            "<=",
            LIMIT,
            speeds,
        ),
        Line(
            "the same by processor time", command.processor / unsharp.processor, "<=", LIMIT, costs
        ),
    ]
    how = "integers" if model.integers else "floating point"
    show(
        f"Enhancing {FLAGS.frames} frames of {WIDTH}x{HEIGHT} with {FLAGS.model} in {how},"
        f" {os.cpu_count()} cores with {instruction_set()}",
        lines,
    )
    print(f"the network alone: {1000 * network.processor:.1f} ms of processor time a frame")


if __name__ == "__main__":
    app.run(main)
