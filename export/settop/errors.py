"""What the commands of this folder report in one line, with exit code 1, instead of a traceback."""


class SettopError(Exception):
    """A mistake that the user can mend. The message names the file or flag and what to do."""
