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
