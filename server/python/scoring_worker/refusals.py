"""Which exceptions of a call of run() are the client's fault: failed conversions of its input."""

from __future__ import annotations

import sys
from types import CodeType, TracebackType
from typing import Any

from .failures import Failure
from .raised import bounded, text_of

# Longest text for a client, in characters.
_LONGEST = 2048
# They tell of a mistake in a program, or of a lack of memory.
_NEVER_THE_CLIENTS = (
    NameError,
    ImportError,
    NotImplementedError,
    MemoryError,
    RecursionError,
    SystemError,
    AssertionError,
)


def refusal_of(raised: BaseException, author: Any) -> Failure | None:
    """The refusal of an input that @input_schema could not convert; None for other exceptions.

    `author`: the innermost function, whose own exceptions are never the client's.
    """
    if not isinstance(raised, Exception) or isinstance(raised, _NEVER_THE_CLIENTS):
        return None
    if isinstance(raised, AttributeError) and isinstance(raised.obj, type):
        # Of the package: a value of a client has members of an instance.
        return None
    if not _in_conversion(raised.__traceback__, getattr(author, "__code__", None)):
        return None
    return Failure("invalid_input", bounded(_message(raised), _LONGEST))


def _in_conversion(frames: TracebackType | None, author: CodeType | None) -> bool:
    """True where the package converts an argument, and has not called the author's function."""
    decorators: Any = sys.modules.get("inference_schema.schema_decorators")
    convert = getattr(decorators, "_deserialize_input_argument", None)
    converting = getattr(convert, "__code__", None)
    while frames is not None and converting is not None:
        code = frames.tb_frame.f_code
        if code is author:
            return False
        if code is converting:
            return True
        frames = frames.tb_next
    return False


def _message(raised: Exception) -> str:
    if isinstance(raised, KeyError) and len(raised.args) == 1:
        return f"A value is not provided for {text_of(raised)}."
    return text_of(raised)
