"""Values without a JSON form: what they are, and what to return in their place."""

from __future__ import annotations

import dataclasses
from typing import Any

_ANY_FORM = "dicts, lists, texts, numbers, numpy arrays or an AMLResponse"
_BYTES = "base64.b64encode(value).decode(), or an AMLResponse for the bytes alone"
_DATE = "value.isoformat()"
_TEXT = "str(value)"
_LIST = "list(value)"

# By the top module and the name of a class, or of one that it derives from.
_INSTEAD = {
    ("PIL", "Image"): "its bytes in an AMLResponse: image.save(buffer, 'PNG')",
    ("builtins", "BaseException"): "str(error), or raise it",
    ("builtins", "async_generator"): "it alone, which streams it",
    ("builtins", "builtin_function_or_method"): "what it returns: call it",
    ("builtins", "bytearray"): _BYTES,
    ("builtins", "bytes"): _BYTES,
    ("builtins", "complex"): "[value.real, value.imag]",
    ("builtins", "coroutine"): "its result: await it",
    ("builtins", "function"): "what it returns: call it",
    ("builtins", "generator"): "it alone, which streams it, or list(value)",
    ("builtins", "memoryview"): _BYTES,
    ("builtins", "method"): "what it returns: call it",
    ("collections", "deque"): _LIST,
    ("datetime", "date"): _DATE,
    ("datetime", "time"): _DATE,
    ("datetime", "timedelta"): "value.total_seconds()",
    ("decimal", "Decimal"): "float(value) or str(value)",
    ("enum", "Enum"): "value.value",
    ("fractions", "Fraction"): "float(value)",
    ("numpy", "complexfloating"): "[value.real, value.imag]",
    ("numpy", "datetime64"): _TEXT,
    ("numpy", "timedelta64"): _TEXT,
    ("pandas", "DataFrame"): "frame.to_dict(orient='records')",
    ("pandas", "NAType"): "None",
    ("pandas", "Series"): "series.tolist() or series.to_dict()",
    ("pathlib", "PurePath"): _TEXT,
    ("scipy", "_spbase"): "matrix.toarray().tolist()",
    ("scipy", "spmatrix"): "matrix.toarray().tolist()",
    ("uuid", "UUID"): _TEXT,
}
# By a method that the class has.
_METHODS = (
    ("tolist", "value.tolist()"),
    ("model_dump", "value.model_dump()"),
    ("to_dict", "value.to_dict()"),
    ("_asdict", "value._asdict()"),
)


def form_of(value: Any) -> tuple[str, str]:
    """What a value is, with its article, and what has a JSON form in its place."""
    dtype = getattr(value, "dtype", None)
    kind = type(value)
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return f"a numpy array of {dtype}", "array.astype(str).tolist(), or an array of numbers"
    name = kind.__name__ if kind.__module__ == "builtins" else _full_name(kind)
    what = f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
    return what, _instead_of(value, kind)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _instead_of(value: Any, kind: type) -> str:
    for base in kind.__mro__:
        known = _INSTEAD.get((base.__module__.partition(".")[0], base.__name__))
        if known is not None:
            return known
    if dataclasses.is_dataclass(kind):
        return "dataclasses.asdict(value)"
    for method, instead in _METHODS:
        if callable(getattr(kind, method, None)):
            return instead
    is_collection = hasattr(kind, "__iter__") and hasattr(kind, "__len__")
    return _LIST if is_collection else _ANY_FORM
