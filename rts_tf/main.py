"""Train a network in stages: ``python -m rts_tf.main --stages=4``.

Every setting of rts_tf.config is a flag. The same command on the same --workdir continues a run that was stopped.
"""

import dataclasses
import os
import pathlib
import shlex

from absl import flags
from rich.console import Console

from rts_tf.cli.command import begin, guarded, in_flags
from rts_tf.cli.progress import RunProgress
from rts_tf.cli.startup import load_tensorflow
from rts_tf.config import PRESETS, Config, preset
from rts_tf.errors import ConfigError, RtsError

FLAGS = flags.FLAGS
_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def _define_flags() -> None:
    """A flag for every field of Config; not given means what the preset says."""
    flags.DEFINE_string("workdir", "rts_run", "Directory of the run; made if it is not there.")
    for field in dataclasses.fields(Config):
        values = ", ".join(
            f"{name}: {getattr(config, field.name)!r}" for name, config in PRESETS.items()
        )
        choices = (
            f" One of: {' '.join(field.metadata['choices'])}." if field.metadata["choices"] else ""
        )
        default = field.default if field.name == "preset" else None
        _DEFINE[type(field.default)](
            field.name, default, f"{field.metadata['help']}{choices} ({values})"
        )


def config_from_flags() -> Config:
    """The preset with the flags that were given. Folders become absolute, so that the run can be continued from anywhere."""
    changes = {
        f.name: FLAGS[f.name].value
        for f in dataclasses.fields(Config)
        if FLAGS[f.name].value is not None
    }
    for name in ("data", "validation", "data_dir"):
        if changes.get(name) and not (name == "data" and changes[name] in ("sample", "div2k")):
            changes[name] = os.path.abspath(changes[name])
    return preset(changes.pop("preset"), **changes)


def main(arguments: list[str]) -> int:
    workdir = pathlib.Path(FLAGS.workdir)
    disk = "What was done is kept; mend this and run the command again."
    return guarded(
        lambda: _train(arguments, workdir),
        f"stopped; {workdir} is whole. The same command continues it.",
        lambda error: f"{workdir}: {error}. {disk}",
    )


def _train(arguments: list[str], workdir: pathlib.Path) -> None:
    if not FLAGS.workdir:
        raise ConfigError("--workdir is empty: name a directory.")
    if len(arguments) > 1:
        raise ConfigError(
            f"unexpected argument {arguments[1]!r}: settings are flags, as in --data=FOLDER."
        )
    config = config_from_flags()
    load_tensorflow()
    import tensorflow as tf

    from rts_tf.report.tables import table1, table2
    from rts_tf.training import recurrence

    console = Console(highlight=False)
    finished = (workdir / "summary.json").exists() and (workdir / "final.keras").exists()
    try:
        summary = recurrence.train(
            config,
            workdir,
            lambda line: console.print(in_flags(line), markup=False, soft_wrap=True),
            lambda work: RunProgress(work, console).running(),
        )
    except (
        tf.errors.ResourceExhaustedError
    ) as error:  # where it is foreseen it is an RtsError already
        reason = str(error).strip().splitlines()[0][:200]
        raise RtsError(
            f"{workdir}: no memory or disk is left ({reason}). What was done is kept; make room and run the command"
            " again, or start a run with a lower --batch or --patch in another --workdir."
        ) from None
    if finished:
        print(f"{workdir}: this run is finished; nothing to do.")
    print(table1(summary))
    if summary["originals"]:
        print(f"\n{table2(summary)}\n")
    print(f"selected: stage {summary['selected_stage']}, {summary['selected_because']}")
    print(f"report:   {workdir / 'report.html'}")
    print(f"network:  {workdir / 'final.keras'}")
    print("next, enhance a picture of your own:")
    print(
        f"  python -m rts_tf.enhance photo.jpg --model={shlex.quote(str(workdir))} --output=better.png"
    )


def run() -> None:
    """Entry point of the console script."""
    begin(main)


_define_flags()

if __name__ == "__main__":
    run()
