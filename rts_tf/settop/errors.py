"""The error that the commands of this folder report in one line, with exit code 1."""


class SettopError(Exception):
    """A mistake that the user can correct. The message names the file or flag and what to do."""
