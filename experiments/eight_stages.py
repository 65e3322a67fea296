"""The two runs that ``table1``, ``table2``, ``alpha`` and ``figure5`` read: eight stages of residual3, anchored and not.

Whichever of them is asked for first trains the runs, about half an hour each on one core that multiplies bfloat16
(``--anchors=low``: that one alone; ``figure5`` shows no other). Those that were committed ran each on a core of its own, with
other work on the other; of the 45 minutes of the anchored one it stood still for some fourteen.

They are short: 2000 + 7 x 750 steps of 8 patches of 128 x 128, half of what the preset ``standard`` takes. The paper trains
each stage afresh for 20 epochs of 80,000 patches of 256 x 256: 200,000 steps, 250 a picture. Stage 1 here has 16 steps a
picture and sees 400 times fewer pixels.
"""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
from absl import flags

from experiments import runs
from rts_tf.config import Config
from rts_tf.errors import ConfigError

ANCHORS = {"low": "#3b7fe0", "none": "#e08a1e"}  # and their colours
STAGES, STAGES_QUICK = 8, 2
PAPER_PIXELS = 20 * 80_000 * 256**2  # that a stage of the paper's sees (section 4.1)


def experiment_flags() -> flags.FlagValues:
    """The flags of an experiment that shows the runs side by side."""
    own = runs.experiment_flags()
    flags.DEFINE_list(
        "anchors", list(ANCHORS), "Which of the runs: low, none, or both.", flag_values=own
    )
    return own


def config(own: flags.FlagValues, anchor: str) -> Config:
    """The settings of the run with ``anchor`` "low" or "none"."""
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
    """A finished run: its ``directory``, and ``summary``, which is its ``summary.json``."""

    directory: pathlib.Path
    summary: dict

    @property
    def stages(self) -> list[dict]:
        """What was measured at each stage, from 1."""
        return self.summary["stages"]

    def originals(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, HR_0) of each validation picture: float32 [H, W, 3] in [0, 1], with even sides."""
        from rts_tf.data.shards import open_set
        from rts_tf.training.validation import originals

        source = open_set(self.directory / "source" / "validation")
        for k in range(len(source.shards)):
            yield from originals(source, k)

    def network(self, stage: int):
        """SR_n as an :class:`rts_tf.inference.Enhancer`."""
        from rts_tf.inference import load

        return load(self.directory / f"stage_{stage}" / "model.keras", "auto")


def trained(own: flags.FlagValues, anchors: Sequence[str]) -> dict[str, Run]:
    """The runs by their anchor, trained if they are not there.

    Raises:
        ConfigError: ``anchors`` are not of ANCHORS.
        RtsError: as :func:`experiments.runs.trained`.
    """
    from rts_tf.storage import read_json

    if not anchors or not set(anchors) <= set(ANCHORS):
        raise ConfigError(f"--anchors={','.join(anchors)}: must be of {', '.join(ANCHORS)}.")
    directories = {
        anchor: runs.trained(own, f"eight_stages_{anchor}", config(own, anchor))
        for anchor in anchors
    }
    return {
        anchor: Run(path, read_json(path / "summary.json")) for anchor, path in directories.items()
    }


def record(own: flags.FlagValues, experiment: str, found: dict[str, Run]) -> dict:
    """What every result of theirs begins with: how it came about."""
    summaries = {anchor: run.summary for anchor, run in found.items()}
    first = next(iter(summaries.values()))
    return {
        "command": runs.command(own, experiment),
        "pictures": {key: first[key] for key in ("training_pictures", "validation_pictures")},
        "settings": {
            anchor: runs.settings(summary["config"]) for anchor, summary in summaries.items()
        },
        "seconds": {anchor: round(summary["seconds"]) for anchor, summary in summaries.items()},
    }


def heading(result: dict) -> str:
    """The same for people, as the beginning of a Markdown page. ``result``: what ``record`` gave."""
    config, pictures = next(iter(result["settings"].values())), result["pictures"]
    took = " and ".join(
        f"{seconds / 60:.0f} minutes with the anchor `{a}`"
        for a, seconds in result["seconds"].items()
    )
    steps = f"{config['first_steps']} + {config['stages'] - 1} x {config['later_steps']} steps"
    a_picture = config["first_steps"] / pictures["training_pictures"]
    seen = config["first_steps"] * config["batch"] * config["patch"] ** 2
    return (
        f"`{result['command']}`\n\n{config['network']}, {steps} of {config['batch']} patches of {config['patch']} x"
        f" {config['patch']} pixels, seed {config['seed']}; {pictures['training_pictures']} photographs to train on,"
        f" {pictures['validation_pictures']} to measure. Phases A and B took {took}. The paper trains"
        f" a stage with 250 steps a picture; stage 1 here has {a_picture:.1f} and sees"
        f" {PAPER_PIXELS / seen:,.0f} times fewer pixels.\n\n"
    )
