"""What ``rts export --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Needed, Shown

EXPORT = Command(
    name="export",
    module="rts_tf.export",
    entry="rts_tf.export.__main__",
    summary="Export a network to SavedModel, TFLite, ONNX, a shader or a page",
    purpose="""\
Export a network to a SavedModel for TensorFlow Serving, TFLite files, ONNX,
a shader for mpv, or a web page, and measure each of them. EXPORT.md says what
came out. A file that misses its limits is withheld.""",
    usage="--workdir=RUN | --model=MODEL [flags]",
    examples=(
        ("the selected stage of a run", "--workdir=my_run"),
        ("a folder for a box", "--model=residual3 --formats=tflite --bundle=box"),
        ("for players, other engines and browsers", "--model=fast --formats=onnx,shader,page"),
    ),
    groups=(
        Group(
            "Network",
            (
                Shown("workdir", "RUN", "A run directory; its selected stage is exported."),
                Shown("model", "MODEL", "Or a .keras file, or a name of weights."),
                Shown("stage", "N", "Another stage than the selected one."),
            ),
        ),
        Group(
            "Output",
            (
                Shown("output", "DIRECTORY", "Where to write; by default beside the network."),
                Shown("bundle", "DIRECTORY", "Also write a folder to copy to a device."),
                Shown("formats", "LIST", "Of saved_model, tflite, onnx, shader, page."),
                Shown("heads", "LIST", "Of enhance, upscale."),
                Shown("precisions", "LIST", "Of the TFLite files (docs/exporting.md)."),
                Shown("height", "N", "Height of the frames of fixed size."),
                Shown("width", "N", "Their width."),
            ),
            ("wide", "json", "device"),
        ),
    ),
    missing="name a run directory, or a network.",
    needed=(Needed(("workdir", "model"), "name a run directory, or a network."),),
)
