"""A run is a directory, and the directory is the truth: what is there under its own name is whole.

config.json                 the settings; another configuration is refused
source/training, validation source shards: HR_0 and LR
stage_N/checkpoint/         state of Phase A, until it is over
stage_N/model.keras         SR_N
stage_N/targets/            HR_N of the training pictures, until the next stage's are in use
stage_N/validation/         HR_N of the validation pictures, likewise
stage_N/crops.npz           what the report shows of HR_N
stage_N/metrics.json        the stage is over
logs/                       TensorBoard
final.keras report.html     of the selected stage
summary.json                the run is over
originals.json              VIQET's measures of LR and HR_0 of the validation pictures, if the run is judged by MOS
stage_N/quality.json        the same of HR_N, picture by picture
"""

import contextlib
import os
import pathlib
import shutil

import keras

from rts_tf.config import Config
from rts_tf.errors import ConfigError
from rts_tf.storage import atomic_path, lock, read_json, write_json, write_text

try:
    import fcntl
except ImportError:  # not a POSIX system: two commands on one directory are not told apart
    fcntl = None


class RunDirectory:
    """Paths and small files of a run; a context manager that keeps other processes out.

    A run that a ConfigError ends before it made a shard is forgotten, so that the corrected command may take the directory.
    """

    def __init__(self, root: str | os.PathLike, config: Config):
        """Create the directory for ``config``, or open one that was made with the same.

        Raises:
            ConfigError: it holds a run of another configuration, or something that is not a run, or cannot be made.
            RtsError: another process works on it.
        """
        self.root = pathlib.Path(root)
        is_run = (self.root / "config.json").exists() or not self.root.is_dir()
        if not is_run and any(not path.name.startswith(".") for path in self.root.iterdir()):
            raise ConfigError(
                f"--workdir={root}: is not empty and not a run (it has no config.json); name another."
            )
        self._made = [path for path in (self.root, *self.root.parents) if not path.exists()]
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = lock(self.root, "--workdir", "is working on this run")
        except OSError as error:
            raise ConfigError(
                f"--workdir={root}: cannot be made or written to ({error.strerror}); name another."
            ) from None
        self._is_new = not (self.root / "config.json").exists()
        try:
            self.config = self._agree(config)
            for leftover in [
                *self.root.glob(".*.[0-9]*.tmp*"),
                *self.root.glob("stage_*/.*.[0-9]*.tmp*"),
            ]:
                leftover.unlink()  # of atomic_path, in a process that was killed
        except BaseException:
            self._lock.close()
            raise

    def __enter__(self) -> "RunDirectory":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_) -> None:
        if (
            kind
            and issubclass(kind, ConfigError)
            and self._is_new
            and not any(self.root.glob("source/*/*.tfrecord"))
        ):
            self._forget()
        self._lock.close()

    def _forget(self) -> None:
        """Remove what this process made of a run that cannot be."""
        shutil.rmtree(self.root / "source", ignore_errors=True)
        for name in ("config.json", ".lock"):
            (self.root / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something of others is in there
            for path in self._made:
                path.rmdir()

    def _agree(self, config: Config) -> Config:
        file = self.root / "config.json"
        if not file.exists():
            write_text(file, config.to_json())
        try:
            recorded = Config.from_json(file.read_text(encoding="utf-8"))
        except (ConfigError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: {error}. Name another --workdir.") from None
        differing = recorded.differences(config)
        if differing:
            raise ConfigError(
                f"--workdir={self.root}: holds a run with other settings ({'; '.join(differing)}). Use the same settings"
                " to continue it, or another --workdir."
            )
        return recorded

    def stage(self, number: int) -> pathlib.Path:
        path = self.root / f"stage_{number}"
        path.mkdir(exist_ok=True)
        return path

    def save_network(self, network: keras.Model, path: pathlib.Path) -> None:
        with atomic_path(path) as temporary:
            network.save(temporary)

    def copy_network(self, stage: int, path: pathlib.Path) -> None:
        with atomic_path(path) as temporary:
            shutil.copyfile(self.stage(stage) / "model.keras", temporary)

    def metrics(self, stage: int) -> dict | None:
        """The metrics of a stage that is over, else None."""
        return read_json(self.root / f"stage_{stage}" / "metrics.json")

    def write_metrics(self, stage: int, metrics: dict) -> None:
        write_json(self.stage(stage) / "metrics.json", metrics)

    def summary(self) -> dict | None:
        """The summary of a run that is over, else None."""
        return (
            read_json(self.root / "summary.json") if (self.root / "final.keras").exists() else None
        )

    def remove(self, stage: int, *names: str) -> None:
        """Remove what is no longer needed of a stage (0: nothing), checkpoint and shards."""
        for name in names:
            shutil.rmtree(self.root / f"stage_{stage}" / name, ignore_errors=True)
