"""Runs an exported TFLite file: ``python -m rts_tf.settop``, on a device ``python -m settop``."""

from .command import run

if __name__ == "__main__":
    run()
