"""What to export: which network, and which files of it; checked without TensorFlow."""

import dataclasses
import importlib.util
import pathlib
from typing import NamedTuple

from rts_tf import pretrained
from rts_tf.errors import ConfigError
from rts_tf.export import FORMATS, HEADS, PRECISIONS, SCALE, USUAL_FORMATS

SMALLEST, LARGEST = 32, 8192  # pixels a side of the frame

UNCHANGED = "What was published before is as it was."  # at the end of an error message


@dataclasses.dataclass(frozen=True)
class ExportSpec:
    """The files to export.

    Attributes:
        formats: some of ``rts_tf.export.FORMATS``.
        heads: some of ``rts_tf.export.HEADS``; the SavedModel always has both.
        precisions: those of the TFLite files, some of ``rts_tf.export.PRECISIONS``.
        height: of the frame that comes out of a TFLite file of fixed size, in pixels.
        width: likewise.

    Raises:
        ConfigError: if a value cannot work, or LiteRT is missing, which checks the TFLite files.
            The message names the argument.
    """

    formats: tuple[str, ...] = USUAL_FORMATS
    heads: tuple[str, ...] = HEADS
    precisions: tuple[str, ...] = PRECISIONS
    height: int = 1080
    width: int = 1920

    def __post_init__(self) -> None:
        choices = {"formats": FORMATS, "heads": HEADS, "precisions": PRECISIONS}
        for name, known in choices.items():
            for value in getattr(self, name) or [""]:
                if value not in known:
                    raise ConfigError(f"`{name}`={value}: choose from {', '.join(known)}.")
        for name in ("height", "width"):
            side = getattr(self, name)
            if not SMALLEST <= side <= LARGEST or side % 2:
                raise ConfigError(f"`{name}`={side}: must be even, from {SMALLEST} to {LARGEST}.")
        if "tflite" in self.formats and importlib.util.find_spec("ai_edge_litert") is None:
            raise ConfigError(
                "`formats`=tflite: needs LiteRT, which checks and measures the files:"
                " pip install ai-edge-litert (the extra 'device'),"
                " or export `formats`=saved_model."
            )

    def input_size(self, head: str) -> tuple[int, int]:
        """Height and width of the frame that goes into ``head``."""
        return self.height // SCALE[head], self.width // SCALE[head]


class NetworkSource(NamedTuple):
    """The network to export."""

    model: str  # a .keras file, or the name of weights that come with rts_tf
    output: pathlib.Path  # the directory to export to, unless another is named
    run: pathlib.Path | None  # the run directory, whose images the export is calibrated on
    report: pathlib.Path | None = None  # of the run or the distillation


def find_network(workdir: str = "", stage: int = 0, model: str = "") -> NetworkSource:
    """Find the network of a run directory or the one that ``model`` names.

    Args:
        workdir: a run directory.
        stage: the stage of the run to export; 0 is the selected one.
        model: instead of a run, a .keras file or the name of weights that come with rts_tf.

    Raises:
        ConfigError: if not exactly one of ``workdir`` and ``model`` is given, or the run does not
            have that network.
    """
    if bool(workdir) == bool(model):
        raise ConfigError(
            "name what to export: either `workdir`=RUN, or `model`=FILE.keras or weights that come"
            " with rts_tf."
        )
    if model:
        if stage:
            raise ConfigError(f"`stage`={stage}: is for `workdir`; `model` is a network already.")
        if pretrained.resolved(model) in pretrained.names():
            return NetworkSource(model, pathlib.Path(f"{model}_export"), None)
        path = pathlib.Path(model)
        directory = path if path.is_dir() else path.parent
        return NetworkSource(model, directory / "export", None, directory / "report.html")
    run = pathlib.Path(workdir)
    file = run / f"stage_{stage}" / "model.keras" if stage else run / "final.keras"
    if not file.exists():
        raise ConfigError(
            f"`stage`={stage}: {file} is not there; that stage is not trained (yet)."
            if stage
            else f"`workdir`={run}: has no final.keras; let the run finish, or name a trained"
            " stage with `stage`."
        )
    return NetworkSource(str(file), run / "export", run, run / "report.html")
