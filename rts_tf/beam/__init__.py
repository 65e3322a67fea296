"""Processes independent items in Apache Beam: on this machine, or on a cluster.

Only :mod:`rts_tf.beam.pipeline` imports Beam, which takes seconds, and it is imported where the
engine is asked for.
"""

LOCAL, BEAM = "local", "beam"
ENGINES = (LOCAL, BEAM)
