"""The formats that are written from passes, and how an export makes, measures and checks them."""

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from rts_tf import pretrained
from rts_tf.export import HEADS, OUTPUT_NAME, limits
from rts_tf.export.measurement import Frame
from rts_tf.export.program import Program, program_of
from rts_tf.export.publication import sha256
from rts_tf.export.runners import process
from rts_tf.export.steps import Export, Step
from rts_tf.networks.weights import weights_sha256

RUNNERS = "rts_tf.export.runners"
LICENCE = "Apache-2.0"

# Called with the passes and with what a file says about itself; returns contents by file name.
Writer = Callable[[Program, str, Mapping[str, str]], dict[str, bytes]]


class ProgramFormat(NamedTuple):
    """A format that is written from passes.

    Attributes:
        heads: Those that it has.
        write: Makes its files.
        runner: A module of ``RUNNERS``, which runs a file. Its function ``missing`` says what it
            lacks on this machine.
        share: The frame on which a file is measured is shorter by this on each side.
        timed: Whether the time and the memory of the runner say something about the file. Shaders
            and the page run on whatever draws there, in a process of its own.
    """

    heads: tuple[str, ...]
    write: Writer
    runner: str
    share: int
    timed: bool = False


def _onnx(program: Program, head: str, about: Mapping[str, str]) -> dict[str, bytes]:
    from rts_tf.export.onnx_file import onnx_file

    return {f"{head}.onnx": onnx_file(program, about)}


def _shader(program: Program, head: str, about: Mapping[str, str]) -> dict[str, bytes]:
    from rts_tf.export.shader import shader_files

    return {name: text.encode() for name, text in shader_files(program, about).items()}


def _page(program: Program, head: str, about: Mapping[str, str]) -> dict[str, bytes]:
    from rts_tf.export.page import page_file

    return {f"{about['name']}.html": page_file([program], about).encode()}


PROGRAM_FORMATS = {
    "onnx": ProgramFormat(HEADS, _onnx, "onnx_runtime", 1, timed=True),
    "shader": ProgramFormat(("enhance",), _shader, "placebo", 2),
    "page": ProgramFormat(("enhance",), _page, "browser", 8),
}


def missing(name: str) -> str:
    """Say what is missing on this machine to run the files of a format; empty if nothing is."""
    runner = PROGRAM_FORMATS[name].runner
    return importlib.import_module(f"{RUNNERS}.{runner}").missing()


def steps_of(
    export: Export, heads: tuple[str, ...], frame_of: Callable[[str, int], Frame]
) -> list[Step]:
    """Return the steps that make the files of an export which are written from passes.

    The files themselves are made now, which takes no time, so that a network that a format cannot
    hold is refused before anything else is done.

    Args:
        export: The export.
        heads: The heads of the network that are exported.
        frame_of: The frame to measure a head on, shorter by a factor on each side than the frames
            that the export is for.

    Raises:
        ConfigError: A format cannot hold the network.
    """
    steps = []
    for name, made in PROGRAM_FORMATS.items():
        if name not in export.spec.formats:
            continue
        lacks = missing(name)
        if lacks:
            export.unmeasured[name] = lacks
        for head in filter(heads.__contains__, made.heads):
            program = program_of(export.network, head)
            for file, contents in made.write(program, head, about(export)).items():
                frame = functools.partial(frame_of, head, made.share)
                run = functools.partial(
                    _make, export, name, program, head, file=file, contents=contents, frame_of=frame
                )
                steps.append(Step(f"{name} {head}", 5, run))
    return steps


def about(export: Export) -> dict[str, str]:
    """What a file says about itself."""
    weights = weights_sha256(export.network.get_weights())
    name = pretrained.resolved(export.source)
    if name not in pretrained.names():
        name = export.network.name.replace("_", "-")
    source = f"{export.source}, weights {weights[:12]}"
    return {"name": name, "source": source, "licence": LICENCE}


def _make(
    export: Export,
    name: str,
    program: Program,
    head: str,
    *,
    file: str,
    contents: bytes,
    frame_of: Callable[[], Frame],
) -> None:
    """Write a file, measure it, and add it to the export."""
    path = export.partial / file
    path.write_bytes(contents)
    height, width = export.spec.input_size(head)
    channels, scale = program.channels, program.scale
    frames = "float32 0..1 [batch, {}, height, width]" if name == "onnx" else "{} channels"
    entry: dict[str, Any] = {
        "file": f"{name}/{file}",
        "kind": name,
        "signature": head,
        "input": frames.format(channels),
        "output": f"{OUTPUT_NAME[head]} {frames.format(channels)}, x{scale}",
        "bytes": path.stat().st_size,
        "sha256": sha256(path),
        "operations": [],
        "macs": program.macs * height * width,
        "receptive_radius": program.receptive_radius,
    }
    if name in export.unmeasured:
        export.entries.append(entry)
        return
    frame = frame_of()
    run = export.measured(PROGRAM_FORMATS[name].runner, path, head, frame.pixels)
    entry |= _figures(name, run, frame)
    entry["measured_at"] = f"{frame.pixels.shape[1]}x{frame.pixels.shape[0]}"
    if PROGRAM_FORMATS[name].timed:
        entry |= {"milliseconds": run.milliseconds, "peak_memory_mb": run.peak_memory_mb}
    export.add(entry, functools.partial(limits.check_program, name, channels))


def _figures(name: str, run: process.Run, frame: Frame) -> dict[str, Any]:
    output, expected = run.output, frame.expected
    if name == "page":  # it shows and saves levels
        expected = np.rint(255 * np.clip(expected, 0, 1)) / np.float32(255)
    if output.shape[-1] == 1:
        return limits.compare_luma(np.clip(output[..., 0], 0, 1), expected[..., 0])
    return limits.compare(output, expected, frame.plain)
