"""Keeps XNNPACK from the matrix tiles (AMX) of a CPU, which slow down networks of few channels.

XNNPACK uses tiles for 8-bit integers wherever it may. They multiply 64 channels at once, and a
network for luma has 4 to 32: with tiles `luma-large` takes more than twice as long for a frame
(docs/realtime.md). The integers are the same. XNNPACK has no setting for this, but it asks
Linux for permission once in a process, and Linux refuses as long as a thread has too small a stack
for signal handlers (https://docs.kernel.org/arch/x86/xstate.html). TensorFlow, which computes
bfloat16 with tiles, asks for itself and later.
"""

import contextlib
import ctypes
import functools
import platform
import sys
from collections.abc import Iterator

SIZE = 4096  # bytes of the stack: enough for AVX512, less than the 8 kB of the tiles
_DISABLED = 2  # SS_DISABLE of <signal.h>


class _SignalStack(ctypes.Structure):
    """stack_t of <signal.h>."""

    _fields_ = [("memory", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


@contextlib.contextmanager
def without_matrix_tiles() -> Iterator[None]:
    """Let Linux refuse tiles to what starts in the body, if nothing in this process has them yet.

    Where the system is not Linux on x86-64, nothing is done.
    """
    library = _library()
    if not library:
        yield
        return
    memory = ctypes.create_string_buffer(SIZE)
    small, before = _SignalStack(ctypes.addressof(memory), 0, SIZE), _SignalStack()
    changed = library.sigaltstack(ctypes.byref(small), ctypes.byref(before)) == 0
    try:
        yield
    finally:
        if changed:
            before.flags &= _DISABLED
            library.sigaltstack(ctypes.byref(before), None)


@functools.cache
def _library() -> ctypes.CDLL | None:
    """The C library, where there may be tiles to be kept from."""
    is_there = sys.platform == "linux" and platform.machine() == "x86_64"
    return ctypes.CDLL(None) if is_there else None
