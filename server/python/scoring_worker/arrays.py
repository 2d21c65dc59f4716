"""Arrays and numbers of numpy, which this worker never imports: a script may have no numpy."""

from __future__ import annotations

import sys
from typing import Any


def is_array(value: Any) -> bool:
    """True for an array of numpy."""
    return _is_instance(value, "ndarray")


def is_number_of_numpy(value: Any) -> bool:
    """True for a scalar of numpy that is a number or a bool."""
    return _is_instance(value, "number") or _is_instance(value, "bool_")


def array_items(array: Any) -> tuple[Any, bool]:
    """Nested lists of an array, or the number of a scalar; None: its type has no JSON form.

    The second value is False where the items have to be looked at: non-finite numbers, objects.
    Integers are exact. A float of 16 or 32 bits has the digits that tell it from its neighbours.
    """
    kind = array.dtype.kind
    if kind in "biuU":
        return array.tolist(), True
    if kind == "f":
        return _floats(array, sys.modules["numpy"])
    if kind == "O":
        return array.tolist(), False
    return None, True


def _floats(array: Any, numpy: Any) -> tuple[Any, bool]:
    finite = bool(numpy.isfinite(array).all())
    if array.dtype.itemsize < numpy.dtype(float).itemsize:
        array = array.astype("U")
    return array.astype(float).tolist(), finite


def _is_instance(value: Any, name: str) -> bool:
    kind = getattr(sys.modules.get("numpy"), name, None)
    return isinstance(kind, type) and isinstance(value, kind)
