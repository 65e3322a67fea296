"""Distillation: a small network for luma learns what the last stage of a large one does.

The teacher enhances the luma of every input once; its results are kept in target shards, as
Phase B keeps them. The best linear filter is fitted to them first. From it the network is trained
in two parts, with lifted kernels and then with all weights free (:mod:`rts_tf.networks.lifting`).
At the end its weights are brought to 8-bit integers, and everything is measured beside the teacher,
the filter and an unsharp mask.

A distillation is a directory, as a run is: the same call continues one that was stopped, and ends
with the same bits. These are its files:

    config.json, machine.json        as in a run
    source/training, validation      shards of the inputs
    targets/training, validation     shards of what the teacher makes of them
    linear.json                      the best linear filter
    lifted/, free/                   checkpoint/, fitted.json and model.keras of the two parts
    final.keras, final.tflite        the network with weights on integers, and its integer file
    report.html, summary.json        what it keeps and costs
"""

import dataclasses
import os
import time
from collections.abc import Callable

import numpy as np

from rts_tf.data.datasets import training_and_validation
from rts_tf.data.shards import ShardSet
from rts_tf.distillation.config import DistillationConfig
from rts_tf.distillation.fitting import Part, fit_free, fit_lifted, parts_of
from rts_tf.distillation.linear import best_filter
from rts_tf.distillation.measures import Student, judge
from rts_tf.distillation.progress import DistillationProgress
from rts_tf.distillation.shards import build_inputs, build_targets, luma_pairs
from rts_tf.errors import ConfigError, RtsError, printable
from rts_tf.export.luma import integer_file
from rts_tf.export.luma_integers import integers_of
from rts_tf.inference import Enhancer, load
from rts_tf.luma.loading import FINAL, INTEGER_FILE, RANGES
from rts_tf.metrics.resources import peak_memory_mb
from rts_tf.networks.lifting import build_lifted
from rts_tf.networks.luma import shape_of
from rts_tf.networks.weights import weights_sha256
from rts_tf.report.distillation_page import write_distillation_report
from rts_tf.storage import atomic_path, read_json, write_json
from rts_tf.training.progress import StartProgress, no_progress
from rts_tf.training.run_directory import RunDirectory

SMALLEST_VALIDATED = 32  # pixels a side
WIDEST_MARGIN = 32  # pixels, of the networks that are distilled
CALIBRATED_ON = 32  # training inputs


def distill(
    config: DistillationConfig,
    workdir: str | os.PathLike,
    say: Callable[[str], None] = print,
    start_progress: StartProgress = no_progress,
) -> dict:
    """Distil a network in ``workdir``, or continue, and return the summary.

    Args:
        config: The settings.
        workdir: The directory, see above.
        say: Called with each line that the user should read before the progress starts.
        start_progress: See :func:`rts_tf.training.recurrence.train`.

    Returns:
        The contents of ``summary.json``, see :func:`rts_tf.distillation.measures.judge`.

    Raises:
        RtsError: The settings, the teacher, the images or the directory do not allow it. The
            message says what to do.
        Interrupted: The user asked to stop; the same call continues.
    """
    config.validate()
    build_lifted(config.network, config.kernel_size)  # one that cannot be built leaves nothing
    if (margin := shape_of(config.network).margin) > WIDEST_MARGIN:
        raise ConfigError(
            f"`network`={config.network}: a block depends on {margin} pixels around it, more than"
            f" {WIDEST_MARGIN}; take fewer layers or a smaller packing."
        )
    with RunDirectory(workdir, config, say) as directory:
        if summary := directory.summary():
            return summary
        teacher = _teacher(directory.config)
        work = Distillation(directory, teacher, say)
        with start_progress(work.progress.work) as work.progress.shown:
            return work.run()


def _teacher(config: DistillationConfig) -> Enhancer:
    """Load the teacher. Raises ConfigError, so that a wrong name leaves no directory behind."""
    try:
        return load(config.teacher, config.precision)
    except RtsError as error:
        raise ConfigError(f"`teacher`: {error}") from None


@dataclasses.dataclass
class Distillation:
    """One distillation. Its state is in the directory.

    Attributes:
        teacher: The network that is distilled.
        say: Called with lines about images that are skipped.
    """

    directory: RunDirectory[DistillationConfig]
    teacher: Enhancer
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.config, self.root = self.directory.config, self.directory.root
        self.sources = dict(
            zip(("training", "validation"), training_and_validation(self.config), strict=True)
        )
        counts = {name: len(source.names) for name, source in self.sources.items()}
        for name, count in counts.items():
            self.say(f"{name}: {count} images")
            if line := self.sources[name].passed_over:
                self.say(printable(line))
        self.progress = DistillationProgress(self.config, counts)

    def run(self) -> dict:
        """Do what is left, and return the summary."""
        began = time.monotonic()
        shards = {name: self._shards(name) for name in self.sources}
        kernel = self._linear_filter(*shards["training"])
        lifted, free = parts_of(self.config, self.root)
        if not lifted.is_over:
            report = self.progress.of_part(lifted)
            fit_lifted(self.config, lifted, kernel, shards["training"], report)
        if not free.is_over:
            report = self.progress.of_part(free)
            fit_free(self.config, free, lifted, shards["training"], report)
        return self._finish(shards, kernel, (lifted, free), began)

    def _shards(self, name: str) -> tuple[ShardSet, ShardSet]:
        """The inputs and the targets of the ``"training"`` or the ``"validation"`` images."""
        config, progress = self.config, self.progress
        # It does not depend on the network, so that the shards can be copied for another one.
        smallest = config.patch + 2 * WIDEST_MARGIN if name == "training" else SMALLEST_VALIDATED
        source = self.sources[name]
        inputs = build_inputs(
            self.root / "source" / name, source, config, smallest, self.say, progress.of("inputs")
        )
        weights = weights_sha256(self.teacher.network.get_weights())
        report, directory = progress.of("teacher"), self.root / "targets" / name
        targets = build_targets(directory, inputs, self.teacher, weights, self.say, report)
        return inputs, targets

    def _linear_filter(self, inputs: ShardSet, targets: ShardSet) -> np.ndarray:
        file = self.root / "linear.json"
        if known := read_json(file):
            return np.array(known["kernel"])
        kernel = best_filter(luma_pairs(inputs, targets))
        write_json(file, {"kernel": kernel.tolist()})
        return kernel

    def _finish(
        self,
        shards: dict[str, tuple[ShardSet, ShardSet]],
        kernel: np.ndarray,
        parts: tuple[Part, Part],
        began: float,
    ) -> dict:
        """Bring the network to integers, measure everything and write the report."""
        planes = calibration_planes(shards["training"][0])
        integers = integers_of(parts[1].network(), planes)
        content = integer_file(integers)
        with atomic_path(self.root / INTEGER_FILE) as temporary:
            temporary.write_bytes(content)
        networks = {part.name: part.network() for part in parts}
        summary, shown = judge(
            self.config,
            Student(kernel, networks | {"integers": integers.network}, content),
            self.teacher,
            shards["validation"],
            self.sources["validation"],
            self.progress.of("measures"),
        )
        seconds = sum(part.record()["seconds"] for part in parts)
        summary |= {
            RANGES: list(integers.highest),
            "training_seconds": seconds,
            "seconds": time.monotonic() - began,
            "peak_memory_mb": peak_memory_mb(),
            "config": dataclasses.asdict(self.config),
        }
        write_distillation_report(self.root / "report.html", summary, *shown)
        with atomic_path(self.root / FINAL) as temporary:
            integers.network.save(temporary)
        write_json(self.root / "summary.json", summary)
        return summary


def calibration_planes(inputs: ShardSet) -> list[np.ndarray]:
    """Luma of inputs, spread over all shards, as uint8 [H, W]."""
    count = len(inputs.shards)
    each = -(-CALIBRATED_ON // count)
    planes = []
    for k in range(count):
        for i, record in enumerate(inputs.records(k, {"luma": np.uint8})):
            if i == each:
                break
            planes.append(record.arrays["luma"][..., 0])
    return planes[:CALIBRATED_ON]
