"""Arrays and numbers of numpy, which this worker never imports: a script may have no numpy."""

from __future__ import annotations

import sys
from typing import Any

_BYTES_OF_FLOAT = 8


def is_array(value: Any) -> bool:
    """True for an array of numpy."""
    return _is_instance(value, "ndarray")


def is_number_of_numpy(value: Any) -> bool:
    """True for a scalar of numpy that is a number or a bool."""
    return _is_instance(value, "number") or _is_instance(value, "bool_")


def array_items(array: Any) -> Any:
    """Nested lists of an array, or the number of a scalar; None: its type has no JSON form.

    Integers are exact. A float of 16 or 32 bits has the digits that tell it from its neighbours.
    """
    dtype = array.dtype
    if dtype.kind in "biuUO":
        return array.tolist()
    if dtype.kind != "f":
        return None
    if dtype.itemsize < _BYTES_OF_FLOAT:
        array = array.astype("U")
    return array.astype(float).tolist()


def _is_instance(value: Any, name: str) -> bool:
    kind = getattr(sys.modules.get("numpy"), name, None)
    return isinstance(kind, type) and isinstance(value, kind)
