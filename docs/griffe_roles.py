"""Extension of Griffe: the few marks of reStructuredText in docstrings become Markdown."""

import re

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([^`]+)`")
LITERAL_BLOCK = re.compile(r"::$", re.MULTILINE)


class Roles(griffe.Extension):
    """Show ``:func:`name``` as code, and ``::`` before an indented example as a colon."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        """Called with each module, class, function and attribute."""
        if obj.docstring:
            text = ROLE.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = LITERAL_BLOCK.sub(":", text)
