"""The images of a run: where they come from, how LR is made, and how they reach Phase A."""
