"""What a target needs around the exported network. Run from a checkout, like ``experiments``; not part of the installation."""
