"""Prints texts that people look at through a pager or ``head``."""

import os
import sys


def print_screen(text: str) -> None:
    """Print a text, such as a help screen. A reader that ends early is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes standard output once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
