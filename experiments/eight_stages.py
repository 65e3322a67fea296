"""The two runs behind table1, table2, alpha and figure5: eight stages, with and without an anchor.

Both train residual3. Whichever experiment is started first trains the runs, about half an hour each
on one core that multiplies bfloat16. ``--anchors=low`` trains the anchored run alone; ``figure5``
needs no other. The committed runs had a core each, with other work on the other; the anchored one
stood still for some 14 of its 45 minutes.

The runs are short: 2000 + 7 x 750 steps of 8 patches of 128 x 128. The paper trains each stage
afresh for 20 epochs of 80,000 patches of 256 x 256: 200,000 steps, 250 an image. Stage 1 here has
16 steps an image and sees 400 times fewer pixels.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from absl import flags

from experiments import runs
from rts_tf.config import Config
from rts_tf.errors import ConfigError

ANCHORS = {"low": "#3b7fe0", "none": "#e08a1e"}  # the runs, and their colours in figures
STAGES, STAGES_QUICK = 8, 2
PAPER_PIXELS = 20 * 80_000 * 256**2  # that a stage of the paper sees (section 4.1)


def experiment_flags() -> flags.FlagValues:
    """Define the flags of an experiment that shows the runs side by side."""
    own = runs.experiment_flags()
    flags.DEFINE_list(
        "anchors", list(ANCHORS), "Which of the runs: low, none, or both.", flag_values=own
    )
    return own


def config(own: flags.FlagValues, anchor: str) -> Config:
    """Return the settings of the run with ``anchor`` "low" or "none"."""
    return runs.configuration(
        own,
        network="residual3",
        stages=STAGES_QUICK if own.quick else STAGES,
        stop_early=False,
        first_steps=2000,
        later_steps=750,
        anchor=anchor,
        judge="mos",
    )


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        directory: The run directory.
        summary: The contents of its ``summary.json``.
    """

    directory: pathlib.Path
    summary: dict[str, Any]

    @property
    def stages(self) -> list[dict[str, Any]]:
        """The metrics of the stages, from stage 1."""
        return self.summary["stages"]

    def originals(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and HR_0 of each validation image.

        HR_0 is float32 [H, W, 3] in [0, 1] with even sides.
        """
        from rts_tf.data.shards import open_set
        from rts_tf.training.pairs import originals

        yield from originals(open_set(self.directory / "source" / "validation"))

    def network(self, stage: int):
        """Return SR_n of stage n as an :class:`rts_tf.inference.Enhancer`."""
        from rts_tf.inference import load

        return load(self.directory / f"stage_{stage}" / "model.keras", "auto")


def trained(own: flags.FlagValues, anchors: Sequence[str]) -> dict[str, Run]:
    """Return the runs by their anchor, after training what is left of them.

    Raises:
        ConfigError: ``anchors`` is empty, or one of them is not of ANCHORS.
        RtsError: See :func:`experiments.runs.trained`.
    """
    if not anchors or not set(anchors) <= set(ANCHORS):
        raise ConfigError(f"--anchors={','.join(anchors)}: must be of {', '.join(ANCHORS)}.")
    directories = {
        anchor: runs.trained(own, f"eight_stages_{anchor}", config(own, anchor))
        for anchor in anchors
    }
    return {anchor: Run(path, runs.summary(path)) for anchor, path in directories.items()}


def record(own: flags.FlagValues, experiment: str, found: dict[str, Run]) -> dict[str, Any]:
    """Return what every record of these experiments begins with: how it came about."""
    summaries = {anchor: run.summary for anchor, run in found.items()}
    return {
        "command": runs.command(own, experiment),
        "images": runs.image_counts(next(iter(summaries.values()))),
        "settings": {
            anchor: runs.settings(summary["config"]) for anchor, summary in summaries.items()
        },
        "seconds": {anchor: round(summary["seconds"]) for anchor, summary in summaries.items()},
    }


def heading(result: dict[str, Any]) -> str:
    """Return the beginning of a Markdown page: how the ``result`` came about, see ``record``."""
    config, images = next(iter(result["settings"].values())), result["images"]
    took = " and ".join(
        f"{seconds / 60:.0f} minutes with the anchor `{anchor}`"
        for anchor, seconds in result["seconds"].items()
    )
    steps = f"{config['first_steps']} + {config['stages'] - 1} x {config['later_steps']} steps"
    an_image = config["first_steps"] / images["training_images"]
    seen = config["first_steps"] * config["batch"] * config["patch"] ** 2
    return (
        f"`{result['command']}`\n\n{config['network']}, {steps} of {config['batch']} patches of"
        f" {config['patch']} x {config['patch']} pixels, seed {config['seed']};"
        f" {images['training_images']} training images and {images['validation_images']} validation"
        f" images. Phases A and B took {took}. The paper trains a stage with 250 steps an image;"
        f" stage 1 here has {an_image:.1f} and sees {PAPER_PIXELS / seen:,.0f} times fewer"
        " pixels.\n"
    )
