"""XNNPACK is kept from the matrix tiles of the CPU, and nothing else in the process is."""

import platform
import subprocess
import sys

import pytest

from rts_tf.luma.matrix_tiles import without_matrix_tiles

# What Linux says: whether this process may use tiles, and the size of the stack for signal handlers
STATE = """
import ctypes, sys
library = ctypes.CDLL(None)
def may_use_tiles():
    bits = ctypes.c_uint64()
    library.syscall(158, 0x1022, ctypes.byref(bits))  # arch_prctl, ARCH_GET_XCOMP_PERM
    return bool(bits.value >> 18 & 1)
def stack_size():
    now = (ctypes.c_uint64 * 3)()
    library.sigaltstack(None, now)
    return now[2]
"""

on_linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="tiles are granted by Linux on x86-64",
)


def said(program, *arguments):
    command = [sys.executable, "-c", STATE + program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@on_linux
def test_a_network_for_luma_runs_without_tiles():
    pytest.importorskip("ai_edge_litert")
    program = """
import numpy as np, rts_tf
plane = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)
rts_tf.load("luma-small").enhance_luma(plane)
print(may_use_tiles())
"""
    assert said(program) == ["False"]


@on_linux
def test_the_integers_are_the_same_with_tiles():
    pytest.importorskip("ai_edge_litert")
    program = """
import contextlib, zlib
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from rts_tf import pretrained
from rts_tf.luma.matrix_tiles import without_matrix_tiles
plane = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 1), dtype=np.uint8)
with without_matrix_tiles() if sys.argv[1:] else contextlib.nullcontext():
    for name in ("luma-small", "luma-clean-large"):
        interpreter = Interpreter(model_content=pretrained.integer_file(name), num_threads=1)
        (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(entry["index"], plane.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry["index"], plane)
        interpreter.invoke()
        print(zlib.crc32(interpreter.get_tensor(result["index"]).tobytes()))
"""
    assert said(program) == said(program, "without")


@on_linux
def test_what_starts_later_may_use_them():
    program = """
import faulthandler
from rts_tf.luma.matrix_tiles import SIZE, without_matrix_tiles
def asked():
    return library.syscall(158, 0x1023, 18) == 0  # ARCH_REQ_XCOMP_PERM, for tiles
faulthandler.enable()
before = stack_size()
with without_matrix_tiles():
    print(asked(), stack_size() == SIZE)
print(stack_size() == before > SIZE, asked() or "amx_tile" not in open("/proc/cpuinfo").read())
"""
    assert said(program) == ["False", "True", "True", "True"]


def test_elsewhere_it_does_nothing(monkeypatch):
    monkeypatch.setattr("rts_tf.luma.matrix_tiles._library", lambda: None)
    with without_matrix_tiles():
        pass
