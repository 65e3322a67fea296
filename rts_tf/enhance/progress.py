"""How the enhancement tells its caller how far it is."""

from typing import Protocol

IMAGES, VIDEOS = "enhancing", "videos"  # phases; their work is counted in megapixels


class Progress(Protocol):
    """What receives the progress."""

    def say(self, line: str) -> None:
        """Show a line that stays."""

    def skip(self, phase: str, work: float) -> None:
        """Take ``work`` of ``phase`` off, since it need not be done."""

    def advance(self, phase: str, work: float, text: str, count: float, unit: str) -> None:
        """Count ``work`` of ``phase``: ``count`` of ``unit``, described by ``text``.

        This is called only where the files on disk are whole, so it may raise Interrupted.
        """
