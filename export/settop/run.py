"""Run an exported TFLite file from a checkout: ``python -m export.settop.run``.

It is ``python -m rts_tf.settop``. For a device, ``python -m rts_tf.export --bundle=DIR`` writes the
folder to copy.
"""

from rts_tf.settop.command import main, run

__all__ = ["main"]

if __name__ == "__main__":
    run("python -m export.settop.run")
