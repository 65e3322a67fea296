"""Runs the real command in several workers on this machine, with faults in some of them."""

import os
import pathlib
import re
import signal
import time

from benchmarks.local_workers import environment_of, free_addresses
from tests.crash import Runner


class WorkerRun:
    """Workers that run one command."""

    def __init__(
        self,
        runner: Runner,
        flags: list[str],
        directory: pathlib.Path,
        count: int,
        *,
        prepare: dict[int, tuple] | None = None,
        own: dict[int, list[str]] | None = None,
        label: str = "",
    ):
        """Start them.

        Args:
            flags: The flags of the command.
            directory: The run directory.
            prepare: For some workers, a function to call in it first, and its arguments.
            own: Further flags for some workers.
            label: What the names of the logs begin with; the name of the directory if it is empty.
        """
        self.directory, addresses = directory, free_addresses(count)
        label = label or directory.name
        self.logs = [directory.with_name(f"{label}.{k}.log") for k in range(count)]
        self.processes = []
        for number, log in enumerate(self.logs):
            log.unlink(missing_ok=True)
            function, *arguments = (prepare or {}).get(number, (None,))
            words = [f"--workdir={directory}", *flags, *(own or {}).get(number, [])]
            environment = environment_of(number, addresses)
            self.processes.append(runner.start(words, log, function, tuple(arguments), environment))

    def signal(self, number: int, which: int) -> None:
        """Send a signal to a worker."""
        os.kill(self.processes[number].pid, which)

    def wait_for(self, pattern: str, timeout: float = 120) -> None:
        """Wait until a file is there that matches a pattern in the run directory."""
        until = time.monotonic() + timeout
        while not list(self.directory.glob(pattern)):
            if time.monotonic() > until or not any(one.is_alive() for one in self.processes):
                raise TimeoutError(f"{pattern} did not come:\n{self.text()}")
            time.sleep(0.02)

    def finish(self, timeout: float = 300) -> list[int | None]:
        """The exit codes of all workers, after those that do not end were killed: None."""
        until, codes = time.monotonic() + timeout, []
        for process in self.processes:
            process.join(max(0.1, until - time.monotonic()))
            codes.append(process.exitcode)
        self.kill()
        return codes

    def kill(self) -> None:
        """Kill what is left."""
        for process in self.processes:
            if process.is_alive():
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
            process.join()

    def text(self, number: int | None = None) -> str:
        """What a worker, or all of them, printed."""
        logs = self.logs if number is None else [self.logs[number]]
        return "\n".join(log.read_text() if log.exists() else "" for log in logs)

    def errors(self, number: int) -> list[str]:
        """The lines of a worker that begin with "error:"."""
        return re.findall("^error: .*$", self.text(number), re.MULTILINE)
