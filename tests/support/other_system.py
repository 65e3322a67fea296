"""Takes away from Python on Linux what it lacks on another system, and runs commands without it.

``python -m tests.support.other_system SYSTEM FOLDER`` enhances, trains, exports and measures in
FOLDER, and prints a line of JSON for each command: its name, exit code, output and error lines.
"""

import builtins
import contextlib
import errno
import gc
import importlib
import io
import json
import os
import pathlib
import shutil
import signal
import sys

# What Python lacks there, of what a project like this uses
WINDOWS = {
    "modules": ("fcntl", "grp", "pwd", "resource", "termios"),
    "os": (
        *("fork", "getuid", "geteuid", "getpgid", "killpg", "mkfifo", "nice", "sched_getaffinity"),
        *("sched_setaffinity", "setsid", "statvfs", "sysconf", "uname", "wait4", "O_DIRECTORY"),
        "O_NONBLOCK",
    ),
    "signal": ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2", "alarm"),
}
MACOS = {"modules": (), "os": ("sched_getaffinity", "sched_setaffinity"), "signal": ()}
SYSTEMS = {"Windows": WINDOWS, "macOS": MACOS}
# Other packages, such as TensorFlow, are there in editions for each system.
OTHERS = (
    *("absl.app", "av", "cv2", "keras", "matplotlib.figure", "rich.progress", "scipy.fft"),
    *("skimage.metrics", "tensorflow", "ai_edge_litert.interpreter"),
)


def take_away(system: str) -> None:
    """Let this process lack what ``system`` lacks, and /proc.

    On Windows a directory cannot be opened either, and few signals can be handled. Call this before
    a module of rts_tf is imported.
    """
    lacking = SYSTEMS[system]
    space = shutil.disk_usage(".")
    for name in lacking["modules"]:
        sys.modules[name] = None  # importing it raises ImportError
    for module in (os, signal):
        for name in lacking[module.__name__]:
            if hasattr(module, name):
                delattr(module, name)
    builtins.open = io.open = _without_proc(builtins.open)
    os.open = _without_proc(os.open, directories=system != "Windows")
    if system == "Windows":
        shutil._use_fd_functions = False  # how Python removes folders there
        shutil.disk_usage = lambda path: space  # which does without os.statvfs there
        signal.signal = _only(signal.signal, {signal.SIGINT, signal.SIGTERM, signal.SIGABRT})


def _without_proc(function, directories=True):
    def opened(path, *arguments, **settings):
        if isinstance(path, str | bytes | os.PathLike):
            if os.fspath(path) in ("/proc", b"/proc") or str(path).startswith("/proc/"):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if not directories and os.path.isdir(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return function(path, *arguments, **settings)

    return opened


def _only(function, numbers):
    def handle(number, handler):
        if number not in numbers:
            raise ValueError("invalid signal value")
        return function(number, handler)

    return handle


def run(name: str, *arguments: object) -> None:
    """Run a command in this process, and print what came of it."""
    from tests.support.commands import command_of

    module = importlib.import_module(name)
    code, out, err = command_of(module, *arguments, device_line=True)
    print(json.dumps([name, code, out, err]), flush=True)


def main(system: str, folder: pathlib.Path) -> None:
    """Import what is not ours, take away what the system lacks, and run the commands."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    gc.disable()  # it takes a tenth of the time
    sys.modules["jax"] = None  # TensorFlow would import it where it is installed
    for name in OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    take_away(system)
    os.write(2, b"BEGIN\n")
    images, work = folder / "images", folder / "run"
    tiny = ("--network=residual1", "--stages=1", "--first_steps=2", "--patch=32", "--batch=1")
    run("rts_tf.main", *tiny, f"--data={images}", f"--workdir={work}")
    run("rts_tf.enhance.__main__", images, f"--output={folder / 'better'}", f"--model={work}")
    video = folder / "video.mkv"
    if video.exists():
        run("rts_tf.enhance.__main__", video, f"--output={folder / 'better.mkv'}", "--model=fast")
    run("rts_tf.export.__main__", f"--workdir={work}", "--height=32", "--width=32",
        "--formats=tflite", "--heads=enhance", "--precisions=dynamic")  # fmt: skip
    run("rts_tf.viqet", images)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
