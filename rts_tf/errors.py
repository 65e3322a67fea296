"""What the commands report in one line, with exit code 1, instead of a traceback."""


class RtsError(Exception):
    """A mistake or a state of the machine that the user can mend. The message names the file or flag and what to do."""


class ConfigError(RtsError):
    """A setting that cannot work."""


class PictureError(RtsError):
    """A picture that cannot be used. The message names the file and why."""


class FilmError(RtsError):
    """A film that cannot be used. The message names the file and why."""


class ShardError(RtsError):
    """A shard that is missing, damaged, or not of this run."""


class TrainingDiverged(RtsError):
    """The loss or a weight is no longer a finite number."""


class Interrupted(RtsError):
    """The user asked to stop; raised only where the state on disk is whole."""
