"""The flags that the help screens of several commands show alike."""

from rts_tf.cli.descriptions.command import Shown

CSV = Shown("csv", "FILE")
DATA = Shown("data", "FOLDER", "Training images: sample, div2k, or a folder.")
DEVICE = Shown("device", "DEVICE", "cpu, gpu:0, or auto: a GPU where there is one.")
ENGINE = Shown("engine", "ENGINE", "local, or beam: several processes or machines.")
JSON = Shown("json", text="Print lines of JSON for scripts.")
VALIDATION = Shown("validation", "FOLDER", "Validation images; empty: a part of the data.")
WIDE = Shown("wide", text="All columns of the table.")
