"""Enhance image and video files with a trained network."""

AUTO = "auto"  # in place of the name of weights: they are chosen for each file
LIVE = "fast"  # the weights for a stream where the user names none
