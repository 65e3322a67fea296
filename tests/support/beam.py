"""Marks tests of the engine beam, which need Apache Beam."""

import importlib.util

import pytest

# It needs an older protobuf, pyarrow and Pillow than the other extras allow, so it has an
# environment of its own: pip install '.[test,beam]'.
needs_beam = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="needs the extra 'beam'"
)
