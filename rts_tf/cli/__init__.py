"""What the commands share: flags, errors, progress, Ctrl-C, and loading TensorFlow."""
