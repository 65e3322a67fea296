"""Run an exported file in a process of its own, to measure its output, time and memory."""
