"""What ``rts serve-client --help`` says."""

from rts_tf.cli.descriptions.command import Command, Group, Shown

SERVE_CLIENT = Command(
    name="serve-client",
    module="rts_tf.serving_client",
    entry="rts_tf.serving_client.__main__",
    summary="Send images to TensorFlow Serving",
    purpose="""\
Send images to a TensorFlow Serving that has a network of rts export, and write
what comes back. INPUT is an image or a folder, which is searched recursively.
Files that exist are skipped, so the same command continues one that was
stopped.""",
    usage="INPUT... --output=PATH [flags]",
    examples=(
        ("one image", "photo.jpg -o better.jpg"),
        ("a folder, twice as large", "photos -o larger --scale=2"),
        ("on another machine", "photos -o better --server=box:8500"),
    ),
    groups=(
        Group(
            "Output",
            (
                Shown("output", "PATH", "A file for one image, a folder for several."),
                Shown("scale", text="1: the same size, 2: enlarge twice."),
                Shown("overwrite", text="Replace files that exist."),
            ),
        ),
        Group(
            "Server",
            (
                Shown("protocol", text="REST is slow with --scale=2 and 16 bits."),
                Shown("server", "HOST:PORT", "By default this machine, at the usual port."),
                Shown("model", "NAME", "The name of the model on the server."),
                Shown("deadline", "SECONDS", "For an image, retries included."),
                Shown("retries", "N", "How often an image is sent again."),
                Shown("concurrency", "N", "How many images are sent at once."),
            ),
        ),
    ),
    arguments=(1, None),
    missing="name images or folders.",
)
