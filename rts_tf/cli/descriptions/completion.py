"""What ``rts completion --help`` says."""

from rts_tf.cli.descriptions.command import Command

COMPLETION = Command(
    name="completion",
    module="",
    entry="rts_tf.cli.completion",
    summary="Print the script that completes rts in bash, zsh or fish",
    purpose="""\
Print a script for the shell that completes subcommands, flags, their values,
the weights in the package, and files. TAB does not start Python.""",
    usage="bash|zsh|fish",
    examples=(
        ("bash; put this into ~/.bashrc: source ~/.rts.bash", "bash > ~/.rts.bash"),
        ("zsh; the folder must be in $fpath", "zsh > ~/.zfunc/_rts"),
        ("fish", "fish > ~/.config/fish/completions/rts.fish"),
    ),
    arguments=(1, 1),
    missing="name the shell: bash, zsh or fish.",
)
