"""JSON texts of results: Python's values, and arrays and numbers of numpy."""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from typing import Any, NoReturn

from .arrays import array_items, is_array, is_number_of_numpy
from .failures import Failure
from .formless import form_of

# Scripts replace it to give values a form, and Azure's server encodes with it.
_NO_FORM = json.JSONEncoder.default


def _form(value: Any) -> Any:
    """What the script makes of a value, or of numpy's. Raises TypeError for other values."""
    default = json.JSONEncoder.default
    if default is not _NO_FORM:
        with suppress(Exception):
            return default(json.JSONEncoder(), value)
    items = array_items(value) if is_array(value) or is_number_of_numpy(value) else None
    if items is None:
        raise TypeError
    return items


# Non-ASCII characters are escaped, as in answers of Azure's server. So lone surrogates pass, too.
# A value that contains itself ends in a RecursionError.
_encode = json.JSONEncoder(
    separators=(",", ":"), allow_nan=False, check_circular=False, default=_form
).encode
_ORIGINS = {
    "result": "run() returned",
    "body": "run() raised a ScoringError with",
    "message": "AMLResponse got",
}
_LONGEST_STEP = 100


def json_text(value: Any, non_finite: str, root: str = "result") -> str:
    """JSON text of a value, in ASCII.

    `non_finite`: `string`, `null` or `error`. `root`: `result`, `body` of a ScoringError, or
    `message` of an AMLResponse.
    Raises Failure result_not_json that names the place of a value without a JSON form.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        plain = _Plain(non_finite, root)
    try:
        return _encode(plain.value(value))
    except RecursionError:
        plain.refuse("lists and dicts nested too deep", "less levels")


class _Plain:
    """Copies a value into those that the encoder of Python takes."""

    def __init__(self, non_finite: str, root: str) -> None:
        self._non_finite = non_finite
        self._root = root
        # Keys and indices down to the current value, for errors.
        self._way: list[Any] = []
        # Identities of the lists and dicts on that way.
        self._above: set[int] = set()

    def value(self, value: Any) -> Any:
        """The copy. Raises Failure result_not_json."""
        if value is None or isinstance(value, (str, bool)):
            return value
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else self._special(value)
        if isinstance(value, (list, tuple, dict)):
            return self._inside(value)
        try:
            form = _form(value)
        except TypeError:
            self.refuse(*form_of(value))
        return self.value(form)

    def refuse(self, what: str, instead: str) -> NoReturn:
        """Raises Failure result_not_json for the value at the current place."""
        raise Failure(
            "result_not_json",
            f"{_ORIGINS[self._root]} {what} at `{self._place()}`, which has no JSON form: "
            f"return {instead}",
        )

    def _inside(self, value: Any) -> Any:
        if id(value) in self._above:
            self.refuse(f"a {type(value).__name__} that contains itself", "a copy of its values")
        self._above.add(id(value))
        if isinstance(value, dict):
            copy: Any = {self._key(key): self._at(key, value[key]) for key in value}
        else:
            copy = [self._at(index, item) for index, item in enumerate(value)]
        self._above.discard(id(value))
        return copy

    def _at(self, step: Any, value: Any) -> Any:
        self._way.append(step)
        copy = self.value(value)
        self._way.pop()
        return copy

    def _key(self, key: Any) -> Any:
        if is_number_of_numpy(key):
            key = key.item()
        if isinstance(key, float) and not math.isfinite(key):
            return _name_of(key)
        if key is not None and not isinstance(key, (str, int, float)):
            kind = type(key).__name__
            self.refuse(f"a dict with a key of type {kind}", "a dict with texts as keys")
        return key

    def _integer(self, value: int) -> int:
        most = sys.get_int_max_str_digits() if hasattr(sys, "get_int_max_str_digits") else 0
        # A digit has less than 4 bits: only larger numbers are counted exactly.
        if most and value.bit_length() > 3 * most and not _has_text(value):
            self.refuse(f"an integer of more than {most} digits", "str(value) or a float")
        return value

    def _special(self, value: float) -> str | None:
        if self._non_finite == "error":
            raise Failure(
                "result_not_json",
                f"the answer has {_name_of(value)} at `{self._place()}`, which JSON has no number "
                "for: choose a form with NON_FINITE_NUMBERS",
            )
        return None if self._non_finite == "null" else _name_of(value)

    def _place(self) -> str:
        return self._root + "".join(f"[{repr(step)[:_LONGEST_STEP]}]" for step in self._way)


def _name_of(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _has_text(value: int) -> bool:
    try:
        int.__repr__(value)
    except ValueError:
        return False
    return True
