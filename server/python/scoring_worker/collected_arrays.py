"""Arrays and tables of libraries that only a script imports: numpy, pandas, torch and the like.

None of them is imported here: a value of one can only be there where the script has done so.
"""

from __future__ import annotations

import array
import datetime
import enum
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from .columns import AT, ColumnType

# Types whose values need no change.
PLAIN = frozenset({str, int, float, bool, type(None)})

# Types of missing values of pandas. NaT is a datetime, and NA compares to nothing.
_MISSING = frozenset({"NAType", "NaTType"})

_BY_KIND: dict[str, ColumnType] = {
    "b": "boolean",
    "i": "int",
    "u": "int",
    "f": "float",
    "S": "string",
    "U": "string",
    "M": "string",
    "m": "float",
}


class ArrayColumn(NamedTuple):
    """Values of a column, and the type of their array; None: plain values."""

    source: str
    values: list[Any]
    type: ColumnType | None


def is_frame(value: Any) -> bool:
    """True for a pandas DataFrame."""
    return _is_of("pandas", "DataFrame", value)


def is_array(value: Any) -> bool:
    """True for an array of at least one dimension, a Series, an Index or a tensor."""
    if isinstance(value, array.array):
        return True
    if _is_of("numpy", "generic", value) or is_frame(value) or isinstance(value, type):
        return False
    return hasattr(value, "tolist") and len(getattr(value, "shape", ())) > 0


def frame_columns(frame: Any) -> list[ArrayColumn]:
    """Columns of a DataFrame. Equal names are two columns. Raises TypeError for a MultiIndex."""
    labels = frame.columns
    if labels.nlevels > 1:
        raise TypeError(
            "collect: expected a DataFrame whose columns have one level of names, "
            f"got a MultiIndex of {labels.nlevels} levels: join them, as with "
            'frame.columns = ["_".join(map(str, names)) for names in frame.columns]'
        )
    names = distinct([str(label) for label in labels])
    # By place, because a label may be that of two columns.
    series = (values for _, values in frame.items())
    return [ArrayColumn(name, *_series(each)) for name, each in zip(names, series, strict=True)]


def array_columns(source: str, value: Any) -> list[ArrayColumn]:
    """Columns of an array: one for each item below its first dimension.

    Raises TypeError for elements that are no numbers, texts or times.
    """
    if isinstance(value, array.array):
        return [ArrayColumn(source, value.tolist(), "float" if value.typecode in "fd" else "int")]
    if not _is_of("numpy", "ndarray", value):
        return [ArrayColumn(source, *_series(value))]
    width = 1
    for size in value.shape[1:]:
        width *= size
    if width == 1:
        return [ArrayColumn(source, *_elements(value.reshape(-1)))]
    rows = value.reshape(value.shape[0], width)
    return [ArrayColumn(f"{source}{AT}{at}", *_elements(rows[:, at])) for at in range(width)]


def array_items(value: Any) -> Iterator[tuple[str, Any, ColumnType | None]]:
    """Path, value and type of each element of an array that stands in a row."""
    columns = array_columns("", value)
    for at in range(len(value)):
        for source, values, of_array in columns:
            yield f"{at}{source}", values[at], of_array


def distinct(names: list[str]) -> list[str]:
    """The names, those that come again with a number."""
    if len(set(names)) == len(names):
        return names
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        times = seen[name] = seen.get(name, 0) + 1
        numbered.append(name if times == 1 else f"{name}{AT}{times}")
    return numbered


def plain(value: Any) -> str | int | float | bool | None:
    """A single value in the form that a column takes. Raises TypeError where it has none."""
    if type(value) in PLAIN:
        own: str | int | float | bool | None = value
        return own
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode()
    if isinstance(value, int):
        return int(value)
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return _time_text(value)
    if _is_of("numpy", "generic", value) or _is_of("numpy", "ndarray", value):
        return plain(_elements(value.reshape(1))[0][0])
    if hasattr(value, "tolist") and getattr(value, "shape", None) == ():
        return plain(value.tolist())
    return _number_or_text(value)


def type_of_dtype(dtype: Any) -> ColumnType | None:
    """The type of a column of this dtype; None: its values decide."""
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        return type_of_dtype(categories.dtype)
    return _BY_KIND.get(getattr(dtype, "kind", ""))


def _is_of(module: str, name: str, value: Any) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _series(values: Any) -> tuple[list[Any], ColumnType | None]:
    """Values of a Series, an Index or a tensor, and their type."""
    dtype: Any = getattr(values, "dtype", None)
    if _is_of("numpy", "dtype", dtype) and hasattr(values, "to_numpy") and dtype.kind in "biufc":
        return _elements(values.to_numpy())
    return values.tolist(), type_of_dtype(dtype)


def _elements(values: Any) -> tuple[list[Any], ColumnType | None]:
    """Elements of a numpy array of one dimension, and their type."""
    kind = values.dtype.kind
    if kind == "M":
        values = values.astype("datetime64[us]")
    elif kind == "m":
        values = values.astype("timedelta64[us]")
    elif kind == "f":
        # Also float16 and longdouble, whose elements are no floats of Python.
        values = values.astype("float64")
    elif kind in "cV":
        raise TypeError(f"collect: expected numbers, texts or times, got {values.dtype} values")
    return values.tolist(), _BY_KIND.get(kind)


def _time_text(value: Any) -> str | float:
    """ISO 8601 with milliseconds, in UTC where the time has a zone; seconds of a duration."""
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if not isinstance(value, datetime.datetime):
        return str(value.isoformat())
    if value.tzinfo is None:
        return value.isoformat(timespec="milliseconds")
    utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def _number_or_text(value: Any) -> str | float:
    """A Decimal or a Fraction as a float; the text of an object that has one of its own."""
    kind = type(value)
    if hasattr(kind, "__float__"):
        return float(value)
    if any("__str__" in vars(base) for base in kind.__mro__[:-1]):
        return str(value)
    raise TypeError(f"collect: expected numbers, texts or times as values, got {name_of(value)}")


def name_of(value: Any) -> str:
    """The type of a value, for a message."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return "None" if value is None else f"{module}{kind.__qualname__}"
