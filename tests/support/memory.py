"""A hook that spares the garbage collector what is imported.

TensorFlow, Keras and JAX make very many objects, which stay until the end. Without the hook,
every full collection visits them all, and tracing graphs causes many collections.
"""

import gc


def pytest_collection_finish() -> None:
    """Called when all test modules are imported."""
    gc.collect()
    gc.freeze()
