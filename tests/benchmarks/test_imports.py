"""The benchmarks import names that exist. No test runs them, since they take minutes.

They are not imported here, since each defines flags of its own in ``absl.flags.FLAGS``.
"""

import ast
import importlib

import pytest

from tests.support.paths import ROOT

MODULES = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_names_of_rts_tf_exist(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rts_tf":
            module = importlib.import_module(node.module)
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                assert hasattr(module, alias.name) or importlib.import_module(name), name


APART = {"torch", "onnxruntime", "openvino", "nncf", "tf2onnx"}  # and what cannot be beside them


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_peer_shares_a_process_with_tensorflow(path):
    """PyTorch 2.14 in the process of TensorFlow 2.21 ends it with a segmentation fault."""
    found = {name.split(".")[0] for name in imported(path)}
    if path.stem.endswith("_peer"):
        for other in {name for name in imported(path) if name.startswith("benchmarks.")}:
            file = ROOT / f"{other.replace('.', '/')}.py"
            found |= {name.split(".")[0] for name in imported(file)}
        assert not found & {"tensorflow", "keras"}
    else:
        assert not found & APART


def imported(path):
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
