"""Enhance image and video files with a trained network."""

AUTO = "auto"  # in place of the name of weights: they are chosen for each file
FAST = "fast"  # likewise, among the networks for luma; and what a stream gets for AUTO
# What becomes of interlaced video: whole frames of the frames marked so, of all frames, or refused
DEINTERLACE = (AUTO, BWDIF := "bwdif", NONE := "none")
