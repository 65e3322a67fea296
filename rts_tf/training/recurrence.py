"""The recurrent training strategy (paper, section 3.1). Open this file first.

    Stage n, Phase A:   SR_n = argmin || HR_{n-1} - SR(LR) ||^2
    Stage n, Phase B:   HR_n = d(SR_n(HR_0))

Everything is made at most once: what the run directory already holds is taken from there, so the same command continues
a run that was stopped at any moment.
"""

import dataclasses
import os
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console

from rts_tf import networks
from rts_tf.cli.progress import RunProgress
from rts_tf.config import Config
from rts_tf.data.datasets import training_and_validation
from rts_tf.data.degradation import Degradation
from rts_tf.data.patches import training_batches
from rts_tf.data.shards import ShardSet
from rts_tf.data.source_shards import build_source
from rts_tf.errors import RtsError
from rts_tf.inference import Enhancer, load
from rts_tf.networks.precision import resolve_precision
from rts_tf.networks.weights import weights_sha256
from rts_tf.report.run_page import Strip, write_report
from rts_tf.storage import read_json, write_json
from rts_tf.training.mos_validation import (
    MEASURES_OF_ORIGINALS,
    ORIGINALS,
    choose_judge,
    images_for_mos,
    means,
    measure_originals,
    measure_stage,
)
from rts_tf.training.phase_a import fit
from rts_tf.training.phase_b import build_targets
from rts_tf.training.run_directory import RunDirectory
from rts_tf.training.selection import select, turned_upward
from rts_tf.training.validation import judge, save_crops, unsharp_ratios

SMALLEST_JUDGED = 16  # pixels a side, for d() and the anchor to mean something
MEASURE_WORK = 300.0  # GFLOP in whose time VIQET measures a picture, about


def run(config: Config, workdir: str | os.PathLike, console: Console | None = None) -> dict:
    """Train a network in stages in ``workdir``, or continue, and return the summary of the run.

    Args:
        config: the settings; a "auto" precision is resolved to what this machine has.
        workdir: the run directory, see rts_tf.training.run_directory.
        console: where the progress line goes; default: standard output.

    Raises:
        RtsError: the settings, the pictures or the directory do not allow it; the message says what to do.
        Interrupted: the user asked to stop; the same call continues.
    """
    config = dataclasses.replace(config.validate(), precision=resolve_precision(config.precision))
    console = console or Console(highlight=False)
    if ":" in config.network:
        networks.build(config.network)  # one that cannot be built must not leave a run behind
    with RunDirectory(workdir, config) as directory:
        summary = directory.summary()
        return summary or _Run(directory, console).run()


class _Run:
    """One run of the recurrence; its state is in the directory."""

    def __init__(self, directory: RunDirectory, console: Console):
        self.directory, self.config, self.console = directory, directory.config, console
        network = networks.build(self.config.network, self.config.seed)
        self.start = (
            network.get_weights()
            if self.config.identity_start
            else networks.glorot_start(network, self.config.seed)
        )
        self.parameters = networks.parameters(network)
        self.pixel_work = 2 * networks.macs_per_pixel(network) / 1e9

    def run(self) -> dict:
        config, history, stopped = self.config, [], f"--stages={self.config.stages} were trained"
        self.training, self.validation = self.sources()
        self.judged_by = choose_judge(config.judge, self.validation, self.say)
        self.progress = RunProgress(self.work(), self.console)
        with (
            self.progress.running(),
            tf.summary.create_file_writer(str(self.directory.root / "logs")).as_default(),
        ):
            for stage in range(1, config.stages + 1):
                if self.directory.metrics(stage) is None:
                    if not self.trained(stage):
                        self.phase_a(
                            stage, self.phase_b(stage - 1, "targets") if stage > 1 else None
                        )
                    self.judge(stage, history)
                history.append(self.directory.metrics(stage))
                if config.stop_early and turned_upward(history):
                    stopped = f"the change of stage {stage} is larger than that of stage {stage - 1} (section 3.4)"
                    break
            return self.finish(history, stopped)

    def sources(self) -> tuple[ShardSet, ShardSet]:
        """The source shards of the training and the validation pictures."""
        config, sets = self.config, []
        for name, photos in zip(
            ("training", "validation"), training_and_validation(config), strict=True
        ):
            self.say(f"{name}: {len(photos.names)} photographs")
            directory = self.directory.root / "source" / name
            smallest = config.patch if name == "training" else SMALLEST_JUDGED
            sets.append(
                build_source(
                    directory,
                    photos,
                    Degradation.of(config),
                    smallest,
                    config.images_per_shard,
                    self.say,
                )
            )
        return tuple(sets)

    def say(self, line: str) -> None:
        """One line, not broken, before there is a progress line."""
        self.console.print(line, markup=False, soft_wrap=True)

    def phase_a(self, stage: int, targets: ShardSet | None) -> None:
        """SR_n: fit the network to HR_{n-1} (``targets``; None: HR_0), from SR_{n-1} (warm start) or afresh."""
        config, directory = self.config, self.directory.stage(stage)
        steps, done = config.steps(stage, len(self.training.sizes)), None

        def batches(first_step: int) -> tf.data.Dataset:
            return training_batches(
                self.training,
                targets,
                patch=config.patch,
                batch=config.batch,
                places=config.patches_per_image,
                seed=config.seed,
                stage=stage,
                first_step=first_step,
            )

        def report(step: int, loss: float, learning_rate: float) -> None:
            nonlocal done
            if done is None:  # what a checkpoint holds already
                self.progress.skip("Phase A", step * self.step_work())
            else:
                for name, value in {"loss": loss, "learning_rate": learning_rate}.items():
                    tf.summary.scalar(f"stage_{stage}/{name}", value, step)
                text = (
                    f"stage {stage}/{config.stages}  Phase A  step {step}/{steps}  loss {loss:.6f}"
                )
                self.progress.advance(
                    "Phase A", (step - done) * self.step_work(), text, step - done, "steps"
                )
            done = step

        start = (
            self.start
            if stage == 1 or not config.warm_start
            else self.network(stage - 1).get_weights()
        )
        fitted = fit(config, start, batches, steps, directory / "checkpoint", report)
        record = {"steps": steps, "final_loss": fitted.loss, "phase_a_seconds": fitted.seconds}
        write_json(directory / "phase_a.json", record)
        keras.backend.clear_session()
        network = networks.build(config.network)  # float32, whatever it was trained in
        network.set_weights(fitted.weights)
        self.directory.save_network(network, directory / "model.keras")
        self.directory.remove(stage, "checkpoint")

    def phase_b(self, stage: int, name: str) -> ShardSet:
        """HR_n of the training ("targets") or the "validation" pictures, always from HR_0."""
        source = self.training if name == "targets" else self.validation
        weights = self.network(stage).get_weights()
        network = networks.build(self.config.network, precision=self.config.precision)
        network.set_weights(weights)
        left, count = self.pixels_work(source), 0

        def on_picture(picture: str) -> None:
            nonlocal left, count
            height, width = source.sizes[picture]
            work, count = self.pixels_work(source, picture), count + 1
            text = (
                f"stage {stage}/{self.config.stages}  Phase B  {name} {count}/{len(source.sizes)}"
            )
            self.progress.advance("Phase B", work, text, height * width / 1e6, "MP")
            left -= work

        shards = build_targets(
            self.directory.stage(stage) / name,
            source,
            Enhancer(network, self.config.tile, self.config.target_kernel),
            self.config.anchor,
            weights_sha256(weights),
            on_picture,
            self.progress.say,
            self.config.eight_bit_targets,
        )
        self.progress.skip("Phase B", left)  # what was there already
        seconds = sum(note["seconds"] for note in shards.notes.values())
        write_json(self.directory.stage(stage) / f"phase_b_{name}.json", {"seconds": seconds})
        if name == "targets" and not self.config.keep_targets:
            self.directory.remove(stage - 1, name)
        return shards

    def judge(self, stage: int, history: list[dict]) -> None:
        """Measure HR_n of the validation pictures, and close the stage by writing its metrics."""
        directory = self.directory.stage(stage)
        before = self.phase_b(stage - 1, "validation") if stage > 1 else None
        pictures = self.phase_b(stage, "validation")
        save_crops(directory / "crops.npz", self.validation, pictures)
        metrics = judge(
            self.validation,
            pictures,
            before,
            history[-1]["difference_ratio_percent"] if history else 0.0,
        )
        if self.judged_by == "mos":
            metrics |= self.judge_mos(stage, pictures)
        for name, value in metrics.items():
            if value is not None:
                tf.summary.scalar(f"stages/{name}", value, stage)
        weights = weights_sha256(self.network(stage).get_weights())
        record = {
            "stage": stage,
            **read_json(directory / "phase_a.json"),
            **metrics,
            "weights_sha256": weights,
        }
        self.directory.write_metrics(stage, record)
        if not self.config.keep_targets:
            self.directory.remove(stage - 1, "validation")

    def judge_mos(self, stage: int, pictures: ShardSet) -> dict:
        """VIQET's measures and naturalness of HR_n, means over the validation pictures."""
        file = self.directory.root / "originals.json"
        if not file.exists():
            on_picture = self.measured("LR, HR0", MEASURES_OF_ORIGINALS)
            write_json(
                file, measure_originals(self.validation, Degradation.of(self.config), on_picture)
            )
        rows = measure_stage(
            self.validation, pictures, read_json(file), self.measured(f"HR{stage}", 1)
        )
        write_json(self.directory.stage(stage) / "quality.json", rows)
        return means(rows.values())

    def measured(self, what: str, times: int) -> Callable[[str], None]:
        """Counts pictures that VIQET measured ``times`` times."""
        count = 0

        def on_picture(picture: str) -> None:
            nonlocal count
            count += 1
            text = f"VIQET  {what}  {count}/{len(images_for_mos(self.validation))}"
            self.progress.advance("VIQET", times * MEASURE_WORK, text, 1, "pictures")

        return on_picture

    def finish(self, history: list[dict], stopped_because: str) -> dict:
        """Select a stage, and write its network, the report and the summary."""
        by_mos = self.judged_by == "mos"
        selected, because = select(history, by_mos)
        originals = (read_json(self.directory.root / "originals.json") or {}) if by_mos else {}
        root, stages = self.directory.root, [dict(metrics) for metrics in history]
        self.network(selected)  # that it is whole
        unsharp = unsharp_ratios(
            self.validation, stages[0]["difference_ratio_percent"], len(stages)
        )
        for metrics, ratio in zip(stages, unsharp, strict=True):
            files = self.directory.stage(metrics["stage"]).glob("phase_b_*.json")
            metrics["phase_b_seconds"] = sum(read_json(file)["seconds"] for file in files)
            metrics["unsharp_ratio_percent"] = ratio
        summary = {
            "preset": self.config.preset,
            "network": self.config.network,
            "parameters": self.parameters,
            "training_pictures": len(self.training.sizes),
            "validation_pictures": len(self.validation.sizes),
            "selected_stage": selected,
            "selected_because": because,
            "stopped_because": stopped_because,
            "judged_by": self.judged_by,
            "seconds": sum(
                metrics["phase_a_seconds"] + metrics["phase_b_seconds"] for metrics in stages
            ),
            "peak_memory_mb": peak_memory_mb(),
            "weights_sha256": stages[selected - 1]["weights_sha256"],
            "config": dataclasses.asdict(self.config),
            "originals": {
                row: means(picture[row] for picture in originals.values())
                for row in ORIGINALS
                if originals
            },
            "stages": stages,
        }
        save_crops(root / "originals.npz", self.validation, None)
        crops = [dict(np.load(root / "originals.npz"))]
        crops += [self.crops(metrics["stage"]) for metrics in stages]
        strips = [
            Strip(key[6:], tuple(c[key] for c in crops))
            for key in crops[0]
            if key.startswith("strip ")
        ]
        write_report(
            root / "report.html", summary, strips, crops[0]["slider"], crops[selected]["slider"]
        )
        self.directory.copy_network(selected, root / "final.keras")
        needless = (
            ["checkpoint"] if self.config.keep_targets else ["checkpoint", "targets", "validation"]
        )
        for metrics in (
            stages
        ):  # before the summary, which ends the run: after a crash nobody would remove them
            self.directory.remove(metrics["stage"], *needless)
        write_json(root / "summary.json", summary)
        return summary

    def crops(self, stage: int) -> dict[str, np.ndarray]:
        """What the report shows of HR_n; made again if the file is damaged or gone."""
        file = self.directory.stage(stage) / "crops.npz"
        try:
            return dict(np.load(file))
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
            save_crops(file, self.validation, self.phase_b(stage, "validation"))
            return dict(np.load(file))

    def trained(self, stage: int) -> bool:
        return all(
            (self.directory.stage(stage) / name).exists()
            for name in ("phase_a.json", "model.keras")
        )

    def network(self, stage: int) -> keras.Model:
        """SR_n, float32. Raises RtsError if it is damaged, or not the one that the stage was judged by."""
        directory = self.directory.stage(stage)
        file, judged = (
            directory / "model.keras",
            (self.directory.metrics(stage) or {}).get("weights_sha256"),
        )
        try:
            network = load(file).network
            if judged in (None, weights_sha256(network.get_weights())):
                return network
            problem = f"{file}: does not have the weights that the stage was judged by"
        except RtsError as error:
            problem = str(error)
        raise RtsError(
            f"{problem}; delete {directory} and run the command again, which makes stage {stage} again."
        )

    def step_work(self) -> float:
        """GFLOP of a training step: forward, and twice that backward."""
        return 3 * self.pixel_work * (self.config.patch // 2) ** 2 * self.config.batch

    def pixels_work(self, source: ShardSet, picture: str = "") -> float:
        """GFLOP of Phase B on one picture of ``source``, or on all."""
        sizes = [source.sizes[picture]] if picture else source.sizes.values()
        return self.pixel_work * sum(height * width for height, width in sizes)

    def work(self) -> dict[str, float]:
        """GFLOP that are left to do, by phase."""
        work = {"Phase A": 0.0, "Phase B": 0.0, "VIQET": 0.0}
        measures = 0 if (self.directory.root / "originals.json").exists() else MEASURES_OF_ORIGINALS
        for stage in range(1, self.config.stages + 1):
            if self.directory.metrics(stage) is None:
                if not self.trained(stage):
                    work["Phase A"] += (
                        self.config.steps(stage, len(self.training.sizes)) * self.step_work()
                    )
                    work["Phase B"] += self.pixels_work(self.training) if stage > 1 else 0
                work["Phase B"] += self.pixels_work(self.validation)
                measures += 1
        if self.judged_by == "mos":
            work["VIQET"] = measures * len(images_for_mos(self.validation)) * MEASURE_WORK
        return work


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, KiB elsewhere
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)
