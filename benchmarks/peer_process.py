"""Runs a peer, another library that a benchmark compares with, in a process of its own.

Two large libraries in one process can crash each other: PyTorch 2.14 beside TensorFlow does. A
peer is a module with one function, which prepares whatever it times::

    def open_peer(arguments: dict) -> dict[str, Callable[..., object]]: ...

The benchmark starts it by the module's name and asks for one timed call at a time, so that the
peer's calls can alternate with its own. The peer takes the time, so what passes through the pipe
does not count::

    with PeerProcess("benchmarks.torch_peer", {"batch": "batch.npz"}) as peer:
        for _ in range(rounds):
            ours.append(seconds_of(step))
            theirs.append(peer.seconds("step"))

This module needs the standard library only: the peer's interpreter may be another one
(``python=``), which has the peer's packages but neither TensorFlow nor ``rts_tf``. The two sides
exchange lines of JSON over stdin and stdout.
"""

import contextlib
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from benchmarks.timing import Seconds, now, since

ROOT = pathlib.Path(__file__).resolve().parents[1]  # where -m finds benchmarks
GRACE = 10  # seconds that a peer has to end by itself
SHOWN = 80  # characters of an answer that cannot be read


class PeerError(RuntimeError):
    """A peer cannot be started, raised an exception, crashed or gave an answer that is none."""


class MissingPackage(PeerError):
    """A package that the peer needs is not installed for its interpreter.

    Attributes:
        name: the name under which the package is imported.
    """

    def __init__(self, name: str, python: str):
        super().__init__(f"{name} is not installed for {python}: pip install '.[benchmark]'")
        self.name = name


class PeerProcess:
    """A running peer; a context manager that ends the process.

    Attributes:
        names: the names of the functions that it can time, as ``open_peer`` returned them.
    """

    def __init__(self, module: str, arguments: dict[str, Any], *, python: str = ""):
        """Start the peer and wait until it is ready.

        The process inherits the environment and the processor affinity of this one.

        Args:
            module: the importable name of the peer's module.
            arguments: passed to its ``open_peer``; JSON types. Arrays go through files.
            python: the peer's interpreter; empty for the one of this process.

        Raises:
            MissingPackage: if the peer lacks a package.
            PeerError: if it cannot be started, ``open_peer`` raises, or the process crashes.
        """
        self._module, self._python = module, python or sys.executable
        # A file, since a pipe that nobody reads would fill up. ``close`` closes it.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [self._python, "-m", "benchmarks.peer_process", module],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
            )
        except OSError as error:
            self._stderr.close()
            raise PeerError(f"{module}: cannot start {self._python}: {error.strerror}") from None
        try:
            self.names: list[str] = self._ask(arguments, "names")["names"]
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "PeerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def seconds(self, name: str) -> Seconds:
        """Call the function ``name`` once and return what the call took, measured by the peer."""
        return self.call(name)[0]

    def call(self, name: str, *arguments: Any) -> tuple[Seconds, Any]:
        """Call the function ``name`` once.

        Args:
            name: one of ``names``.
            arguments: of the function; JSON types.

        Returns:
            What the call took, measured by the peer, and what the function returned.

        Raises:
            PeerError: if the function raises or the process crashes.
        """
        answer = self._ask([name, *arguments], "seconds", "value")
        return Seconds(*answer["seconds"]), answer["value"]

    def close(self) -> None:
        """End the process: it ends when its stdin is closed; killed if it does not."""
        try:
            self._process.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._stderr.close()

    def _ask(self, question: object, *wanted: str) -> dict[str, Any]:
        """Send a question and return the answer, which has the fields ``wanted``."""
        assert self._process.stdin and self._process.stdout
        with contextlib.suppress(BrokenPipeError):  # it may have said why, and gone
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:  # the process is gone
            raise PeerError(f"{self._module}: {self._last_words()}")
        answer = None
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
        if isinstance(answer, dict):
            if "missing" in answer:
                raise MissingPackage(answer["missing"], self._python)
            if "error" in answer:
                raise PeerError(f"{self._module}: {answer['error']}")
            if {*wanted} <= {*answer}:
                return answer
        said = line.strip()[:SHOWN]
        raise PeerError(f"{self._module}: {said!r} is no answer. Does its interpreter print it?")

    def _last_words(self) -> str:
        """Say how the process ended, with the last line that it wrote."""
        code = self._process.wait()
        if code < 0:
            how = f"crashed with {signal.Signals(-code).name}"
        else:
            how = f"ended with exit code {code}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"{how}; its last line: {lines[-1]}" if lines else how


def started(
    name: str,
    module: str,
    arguments: dict[str, Any],
    python: str,
    processes: contextlib.ExitStack,
) -> tuple[PeerProcess | None, str]:
    """Start a peer if that is possible.

    Args:
        name: of the peer, for people.
        module: as for ``PeerProcess``.
        arguments: likewise.
        python: likewise.
        processes: ends the process when it is closed.

    Returns:
        The peer; or None, and a line that says why it is not compared.
    """
    try:
        return processes.enter_context(PeerProcess(module, arguments, python=python)), ""
    except PeerError as error:
        return None, f"{name} is not compared: {error}"


def serve(module: str, questions: TextIO, answers: TextIO) -> None:
    """Be the peer's side: prepare ``module``, then answer until ``questions`` ends."""

    def answer(**fields: object) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    arguments = json.loads(questions.readline())
    try:
        functions: dict[str, Callable[..., object]]
        functions = importlib.import_module(module).open_peer(arguments)
        answer(names=list(functions))
        for question in questions:
            name, *values = json.loads(question)
            function, began = functions[name], now()
            value = function(*values)
            answer(seconds=since(began), value=value)
    except ModuleNotFoundError as error:
        answer(missing=error.name)
    except Exception as error:
        traceback.print_exc()
        answer(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    # What the peer's libraries print must not get between the answers: it goes to stderr.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stdout:
        os.dup2(2, 1)
        serve(sys.argv[1], sys.stdin, stdout)
