"""Messages that any terminal can show, on one line."""

import pytest

from rts_tf.errors import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 山 é", "plain ü 山 é"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2J", "\\x1b[2J"),
        ("caf\udce9", "caf\\udce9"),
        ("a\u2028b", "a\\u2028b"),
        ("[bold]'\"", "[bold]'\""),
    ],
)
def test_printable(text, shown):
    assert printable(text) == shown
    printable(text).encode()
