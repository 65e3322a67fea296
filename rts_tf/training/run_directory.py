"""A run is a directory, and the directory is the truth: a file under its own name is whole.

These are the files and directories of a run:

    config.json                 the settings; a run with other settings is refused, unless they
                                extend it
    machine.json                the instruction sets of the CPUs that the run was on
    workers.json                by this, several workers know that they see one directory
    source/training, validation source shards: HR_0 and LR
    init.json                   the weights of `init`: their name and hash, if the run has some
    stage_0/model.keras         a copy of these weights
    stage_0/targets/            HR_0 enhanced by them, as of other stages, if stage 1 trains on it
    stage_N/checkpoint/         state of Phase A, until it is over
    stage_N/phase_a.json        steps, loss and seconds of Phase A
    stage_N/model.keras         SR_N
    stage_N/targets/            HR_N of the training images, until the next stage's are in use
    stage_N/validation/         HR_N of the validation images, likewise
    stage_N/crops.npz           what the report shows of HR_N
    stage_N/quality.json        VIQET's measures of HR_N, image by image, if they are measured
    stage_N/metrics.json        the stage is over
    originals.json              VIQET's measures of LR and HR_0 of the validation images, likewise
    originals.npz               what the report shows of HR_0
    logs/                       TensorBoard
    final.keras report.html     of the selected stage
    summary.json                the run is over
"""

import contextlib
import dataclasses
import os
import pathlib
import secrets
import shutil
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from rts_tf.errors import ConfigError
from rts_tf.locks import lock
from rts_tf.networks.precision import instruction_set, resolve_precision
from rts_tf.settings import Settings
from rts_tf.storage import read_json, read_json_or_none, write_json, write_text
from rts_tf.training.stage import Stage
from rts_tf.workers import ALONE, SEEN_WITHIN, Workers

Config = TypeVar("Config", bound=Settings)


def is_run(root: str | os.PathLike) -> bool:
    """Whether a run has begun in the directory ``root``."""
    return pathlib.Path(root, "config.json").exists()


class RunDirectory(Generic[Config]):
    """Paths and small files of a run; a context manager that keeps other processes out.

    Of several workers the chief keeps other runs out and writes what is here. The other workers
    check that they see the same directory and have the same settings.

    If a ConfigError ends a new run before a shard is written, the directory is left as it was, so
    that the corrected call may use it.

    Attributes:
        config: The settings of the run, with its precision resolved.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        config: Config,
        say: Callable[[str], None] = print,
        workers: Workers = ALONE,
    ):
        """Create the directory for ``config``, or open one that was made with the same settings.

        The precision ``"auto"`` becomes that of the run, or what suits this machine if the run is
        new. Settings that extend a run (:meth:`rts_tf.settings.Settings.extends`) take the place
        of those that were recorded. ``say`` is called with one line where a run goes on under other
        conditions than it began with.

        Args:
            workers: The workers of the run. Every one must make this call.

        Raises:
            ConfigError: The directory holds a run with other settings, or something that is not a
                run, or it cannot be made; or this worker has another directory or other settings
                than the chief.
            RtsError: Another process works on it.
            WorkerError: Another worker failed, or was lost.
        """
        self.root = pathlib.Path(root)
        self._workers = workers
        self.originals_file = self.root / "originals.json"
        self.init_file = self.root / "init.json"
        self.summary_file = self.root / "summary.json"
        self._config_file = self.root / "config.json"
        self._workers_file = self.root / "workers.json"
        self._stages: dict[int, Stage] = {}
        with workers.together():
            if workers.is_chief:
                self._open(config, say)
        if workers.count > 1:
            try:
                self._join(config)
            except BaseException:
                self.__exit__(ConfigError)  # a new run that cannot be
                raise

    def _open(self, config: Config, say: Callable[[str], None]) -> None:
        """Create or open the directory, and keep other processes out."""
        is_run = self._config_file.exists() or not self.root.is_dir()
        if not is_run and any(not path.name.startswith(".") for path in self.root.iterdir()):
            raise ConfigError(
                f"`workdir`={self.root}: is not empty and not a run (it has no config.json); name"
                " another."
            )
        self._made = [path for path in (self.root, *self.root.parents) if not path.exists()]
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = lock(self.root, "workdir", "is working on this run")
        except OSError as error:
            raise ConfigError(
                f"`workdir`={self.root}: cannot be made or written to ({error.strerror}); name"
                " another."
            ) from None
        self._is_new = not self._config_file.exists()
        try:
            self.config = self._agree(config, say)
            self._note_machine(say)
            self._remove_leftovers()
        except BaseException:
            self._lock.close()
            raise

    def _join(self, config: Config) -> None:
        """Check that all workers see the same directory and have the same settings."""
        workers = self._workers
        token = workers.by_chief(self._write_token)
        recorded = workers.by_chief(lambda: self.config.to_json())
        with workers.together():
            if not workers.is_chief:
                self._wait_for(token)
                self.config = type(config).from_json(recorded)
                differing = self.config.differences(config.continuing(self.config))
                if differing:
                    raise ConfigError(
                        f"{workers.name} has other settings than the chief"
                        f" ({'; '.join(differing)}); start all of them with the same command."
                    )

    def _write_token(self) -> str:
        token = secrets.token_hex(16)
        write_json(self._workers_file, {"token": token})
        return token

    def _wait_for(self, token: str) -> None:
        """Wait until this worker sees what the chief has written."""
        until = time.monotonic() + SEEN_WITHIN
        while (read_json_or_none(self._workers_file) or {}).get("token") != token:
            if time.monotonic() > until:
                raise ConfigError(
                    f"`workdir`={self.root}: {self._workers.name} sees another directory there than"
                    " the chief; name one that all workers share."
                )
            time.sleep(0.2)

    def __enter__(self) -> "RunDirectory[Config]":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self._workers.is_chief:
            return
        refused = kind is not None and issubclass(kind, ConfigError)
        if refused and self._is_new and not any(self.root.glob("source/*/*.tfrecord")):
            self._forget()
        self._lock.close()

    def _forget(self) -> None:
        """Remove what this process made for a run that cannot be."""
        shutil.rmtree(self.root / "source", ignore_errors=True)
        for name in ("config.json", "machine.json", "workers.json"):
            (self.root / name).unlink(missing_ok=True)
        self._lock.remove()
        with contextlib.suppress(OSError):  # the directory holds files of others
            for path in self._made:
                path.rmdir()

    def _agree(self, config: Config, say: Callable[[str], None]) -> Config:
        """The settings of the run, which must be ``config``. They are written if the run is new."""
        here = resolve_precision(config.precision)
        if self._is_new:
            config = dataclasses.replace(config, precision=here)
            write_text(self._config_file, config.to_json())
        try:
            recorded = type(config).from_json(self._config_file.read_text(encoding="utf-8"))
        except (ConfigError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self._config_file}: {error}. Name another `workdir`.") from None
        config = config.continuing(recorded)
        differing = recorded.differences(config)
        if differing:
            if not config.extends(recorded, self._stages_begun()):
                raise ConfigError(
                    f"`workdir`={self.root}: holds a run with other settings"
                    f" ({'; '.join(differing)}). {self._advice(recorded, config)}"
                )
            write_text(self._config_file, config.to_json())
            recorded = config
        if recorded.precision != here:
            say(
                f"the run began in {recorded.precision} and goes on in it; {here} would suit this"
                " machine"
            )
        return recorded

    def _stages_begun(self) -> int:
        """The number of the last stage whose training has begun."""
        numbers = (path.name.removeprefix("stage_") for path in self.root.glob("stage_*"))
        return max((int(number) for number in numbers if number.isdigit()), default=0)

    def _advice(self, recorded: Config, config: Config) -> str:
        """What to do about settings that differ."""
        advice = "Use the same settings to continue it, or another `workdir`."
        changed = {line.partition(":")[0] for line in recorded.differences(config)}
        if changed != {"stages"}:
            return advice
        return (
            f"It has begun stage {self._stages_begun()}; it can be given more stages, but none is"
            f" taken away. The network of each is in {self.root / 'stage_N' / 'model.keras'}."
        )

    def _note_machine(self, say: Callable[[str], None]) -> None:
        """Record the instruction set of this machine, and say where it is not that of the last."""
        file, here = self.root / "machine.json", instruction_set()
        known = (read_json(file, {"instruction_sets": list}) or {}).get("instruction_sets", [])
        if known[-1:] == [here]:
            return
        write_json(file, {"instruction_sets": [*known, here]})
        if known and not self.summary():
            say(
                f"the run was on a CPU with {known[-1]} and goes on with {here}: its weights will"
                " differ by rounding from those of a run on one kind of CPU"
            )

    def _remove_leftovers(self) -> None:
        """Remove the temporary files of a process that was killed."""
        for folder in (self.root, *self.root.glob("stage_*")):
            for leftover in folder.glob(".*.[0-9]*.tmp*"):
                leftover.unlink()

    def instruction_sets(self) -> list[str]:
        """The instruction sets of the CPUs that the run was on, in order."""
        machine = read_json(self.root / "machine.json", {"instruction_sets": list})
        return (machine or {"instruction_sets": []})["instruction_sets"]

    def stage(self, number: int) -> Stage:
        """Stage ``number``, from 1; the same object at every call."""
        if number not in self._stages:
            self._stages[number] = Stage(number, self.root / f"stage_{number}")
        return self._stages[number]

    def summary(self) -> dict | None:
        """The summary of a run that is over, else None.

        A run that is being extended keeps the summary of its earlier end, but is not over.
        """
        if not (self.root / "final.keras").exists():
            return None
        summary = read_json(self.summary_file, {"config": dict})
        ended = (summary or {}).get("config", {})
        settings = dataclasses.asdict(self.config)
        if any(ended.get(name, settings[name]) != settings[name] for name in self.config.EXTENDING):
            return None
        return summary
