"""What run() may return: the body names it."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import types
import uuid

import numpy as np
import pandas as pd
from azureml.contrib.services.aml_response import AMLResponse


class Color(enum.IntEnum):
    RED = 1


class Shade(str, enum.Enum):
    DARK = "dark"


class Plain(enum.Enum):
    A = 1


class Whole(int):
    def __repr__(self):
        return "whole"


class Real(float):
    def __repr__(self):
        return "real"


class Text(str):
    pass


@dataclasses.dataclass
class Data:
    a: int = 1


Point = collections.namedtuple("Point", "x y")


def circle():
    items = []
    items.append(items)
    return items


def deep(levels):
    items = []
    for _ in range(levels):
        items = [items]
    return items


RETURNS = {
    "None": lambda: None,
    "a dictionary": lambda: {"a": 1, "b": [True, None, {"c": 2.5}]},
    "an empty dictionary": dict,
    "a list": lambda: [1, "a", None],
    "an empty list": list,
    "text": lambda: "text with \"quotes\", \\ and \n",
    "an empty text": lambda: "",
    "text beyond ASCII": lambda: "é 𝄞 \u2028 \x7f \x00",
    "text that is JSON": lambda: '{"a": 1}',
    "a lone surrogate": lambda: "a\ud800b",
    "a whole number": lambda: 7,
    "a large whole number": lambda: 2**70,
    "a fraction": lambda: 0.1,
    "a whole fraction": lambda: 1.0,
    "a tiny number": lambda: 5e-324,
    "minus zero": lambda: -0.0,
    "True": lambda: True,
    "False": lambda: False,
    "NaN": lambda: float("nan"),
    "infinity": lambda: [float("inf"), -float("inf")],
    "a tuple": lambda: (1, (2,)),
    "a named tuple": lambda: Point(1, 2),
    "an ordered dictionary": lambda: collections.OrderedDict(b=1, a=2),
    "a counter": lambda: collections.Counter("aab"),
    "names that are numbers": lambda: {1: "a", 2.5: "b", True: "c", None: "d"},
    "a number of an enumeration": lambda: [Color.RED, {Color.RED: 1}],
    "a text of an enumeration": lambda: Shade.DARK,
    "a subclass of text": lambda: Text("t"),
    "float64 of numpy": lambda: np.float64(1.5),
    "a deep list": lambda: deep(200),
    "a list of numbers by tolist()": lambda: np.array([[1.5, 2.0]]).tolist(),
    "records of a frame": lambda: pd.DataFrame({"a": [1], "b": ["x"]}).to_dict("records"),
    "JSON of a frame": lambda: pd.DataFrame({"a": [1]}).to_json(orient="records"),
    "a name that is a tuple": lambda: {(1, 2): 3},
    "an array": lambda: np.array([1.0]),
    "a list of arrays": lambda: {"result": [np.array([1])]},
    "int64 of numpy": lambda: np.int64(1),
    "float32 of numpy": lambda: [np.float32(1.5)],
    "bool of numpy": lambda: np.bool_(True),
    "a frame": lambda: pd.DataFrame({"a": [1]}),
    "a series": lambda: pd.Series([1]),
    "a time stamp of pandas": lambda: pd.Timestamp("2020-01-02"),
    "bytes": lambda: b"bytes",
    "a byte array": lambda: bytearray(b"bytes"),
    "a set": lambda: {1, 2},
    "a frozen set": lambda: frozenset([1]),
    "a decimal": lambda: decimal.Decimal("1.5"),
    "a ratio": lambda: fractions.Fraction(1, 2),
    "a complex number": lambda: 1j,
    "a date and time": lambda: datetime.datetime(2020, 1, 2),
    "a date": lambda: datetime.date(2020, 1, 2),
    "a duration": lambda: datetime.timedelta(1),
    "a UUID": lambda: uuid.UUID(int=1),
    "a path": lambda: pathlib.Path("/a"),
    "a range": lambda: range(3),
    "a member of an enumeration": lambda: Plain.A,
    "a data class": Data,
    "an exception": lambda: ValueError("secret"),
    "a class": lambda: Data,
    "a function": lambda: deep,
    "an object": object,
    "a generator": lambda: (each for each in [1, 2]),
    "an iterator": lambda: iter([1, 2]),
    "a map": lambda: map(str, [1]),
    "the values of a dictionary": lambda: {"a": 1}.values(),
    "a circle": circle,
    "a list that is too deep": lambda: deep(100_000),
    "a list and a status": lambda: ({"error": "bad"}, 500),
    "a dictionary with defaults": lambda: collections.defaultdict(int, a=1),
    "a subclass of a number": lambda: [Whole(3), {Whole(3): Real(1.5)}],
    "numbers with exponents": lambda: [1e22, 1e16, 1e-7, 123456789.123456789, 0.1 + 0.2],
    "numbers beyond doubles": lambda: [2**53 + 1, -(2**64), 10**400],
    "a name twice": lambda: {1: "a", "1": "b"},
    "NaN as a name": lambda: {float("nan"): 1},
    "a text of numpy": lambda: {np.str_("a"): list(np.array(["b"]))},
    "a number of numpy as a name": lambda: {np.float64(1.5): 1},
    "columns of a frame": lambda: pd.DataFrame({"a": [1], "b": ["x"]}).to_dict("split"),
    "a user's dictionary": lambda: collections.UserDict(a=1),
    "a chain of dictionaries": lambda: collections.ChainMap({"a": 1}),
    "a read-only dictionary": lambda: types.MappingProxyType({"a": 1}),
    "a deque": lambda: collections.deque([1]),
    "a namespace": lambda: types.SimpleNamespace(a=1),
    "a missing value of pandas": lambda: [pd.NA],
    "a date of numpy": lambda: np.datetime64("2020-01-02"),
    "a generator inside": lambda: {"a": (each for each in [1])},
    "an answer inside": lambda: {"a": AMLResponse("x", 200)},
    "one megabyte": lambda: "x" * 1_000_000,
}


def init():
    pass


def run(what):
    return RETURNS[what]()
