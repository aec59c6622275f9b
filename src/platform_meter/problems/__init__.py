"""What is wrong with people's text, said where it stands; and YAML text -> typed values or every problem in it.

Problems are values. Nothing here reads a file or prints: `decode` takes text, `render` gives text.
"""

from platform_meter.problems.document import EACH, Decoded, Document, Read, decode
from platform_meter.problems.problem import Problem, Text, masked, nearest, render, suggest

__all__ = [
    "EACH", "Decoded", "Document", "Problem", "Read", "Text", "decode", "masked", "nearest", "render", "suggest",
]  # fmt: skip
