"""Gives damaged files to every reader: each must be read, or refused with one clear error.

::

    python -m tests.fuzz --minutes=60
    python -m tests.fuzz --minutes=1 --only=images,tflite --seed=5

Files of every format are damaged at random, also inside of their containers with checksums that
are right again. Anything else than a result or an RtsError is a finding: a traceback, a crash of a
native library, an input of kilobytes that takes more than 20 seconds or 1.5 GB. Its input is kept.
The exit code is 1 if there is any.
"""
