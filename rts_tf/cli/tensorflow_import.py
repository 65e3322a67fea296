"""Makes the import of TensorFlow cheaper: what no command uses is not imported."""

import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Any

from rts_tf.quiet import quiet_stderr

# Packages that TensorFlow and Keras import where they are installed, and that no command needs from
# them: Keras has galleries of images and a summary for notebooks, TensorFlow a converter of JAX.
_OPTIONAL = ("matplotlib", "jax", "IPython", "pandas")
# The tables of TensorFlow's public names: they define nothing, but import whatever they name, such
# as all of TensorFlow 1, an older Keras and what TPUs need.
_TABLES = "tensorflow._api.v2."
# Tables that every command uses, some of them in several threads. Before Python 3.12.3, two threads
# must not be the first to use a module that runs when it is used.
_USED = {"config", "data", "errors", "image", "io", "math", "nn", "random"}


class _WhenUsed:
    """A finder for other tables than these: they run when their first attribute is asked for."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        table = name.removeprefix(_TABLES).partition(".")[0]
        if not name.startswith(_TABLES) or table in _USED or _has_namesake(table):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = importlib.util.LazyLoader(_Quietly(spec.loader))
        return spec


class _Quietly(importlib.abc.Loader):
    """Runs a module without the lines that native libraries write when they are loaded."""

    def __init__(self, loader: importlib.abc.Loader):
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with quiet_stderr():
            self._loader.exec_module(module)


def _has_namesake(table: str) -> bool:
    """Whether TensorFlow has a package of that name too, as for ``tf.lite``.

    When the package is imported, it takes the place of the table, so the table must come later.
    """
    folder = os.path.dirname(sys.modules["tensorflow"].__file__ or "")
    return os.path.isdir(os.path.join(folder, table))


@contextlib.contextmanager
def cheap_import() -> Iterator[None]:
    """Make imports of TensorFlow and Keras in the body take about half the time and less memory.

    Afterwards everything can be imported and used as ever. ``python -m benchmarks.cold_start``
    measures the effect.
    """
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # importing them fails
    # The import makes a million objects that all stay: to look for garbage among them again and
    # again takes a fifth of the time.
    collects = gc.isenabled()
    gc.disable()
    # Keras 2 uses the tables while it is imported, and TensorFlow replaced some of them then.
    finders = [_WhenUsed] if int(version("keras").partition(".")[0]) >= 3 else []
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
        gc.freeze()
        if collects:
            gc.enable()
        for name in hidden:
            del sys.modules[name]
