"""What results of run() are answered with."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import unittest
import uuid
from collections import OrderedDict, deque, namedtuple
from typing import Any
from unittest import mock

from scoring_worker.answers import Answer, answer_of
from scoring_worker.failures import Failure
from set_up import ScriptTest, start

try:
    import numpy
except ImportError:
    numpy = None  # type: ignore[assignment]
try:
    import pandas
except ImportError:
    pandas = None  # type: ignore[assignment]


def answered(value: Any, **members: Any) -> Any:
    """The value of the JSON of a result."""
    answer = answer_of(value, start(**members))
    assert answer.status == 200 and answer.headers is None
    return json.loads(answer.body)


def refused(value: Any, **members: Any) -> str:
    """The text of a refusal."""
    try:
        answer_of(value, start(**members))
    except Failure as failure:
        assert failure.code == "result_not_json", failure.code
        return failure.message
    raise AssertionError("it is answered")


class Values(unittest.TestCase):
    """Of Python."""

    def test_none_is_an_empty_object(self) -> None:
        self.assertEqual(answer_of(None, start()), Answer(200, b"{}"))

    def test_json_is_compact_and_ascii(self) -> None:
        body = answer_of({"ä": [1, 2.5, True, None]}, start()).body
        self.assertEqual(body, b'{"\\u00e4":[1,2.5,true,null]}')

    def test_values_keep_pythons_forms(self) -> None:
        point = namedtuple("point", "x y")
        number = enum.IntEnum("number", "one")
        cases: list[tuple[Any, Any]] = [
            ("text", "text"),
            (("body", 500), ["body", 500]),
            (point(1, 2), [1, 2]),
            (OrderedDict(a=1), {"a": 1}),
            ({1: 1, None: 2, False: 3, 1.5: 4}, {"1": 1, "null": 2, "false": 3, "1.5": 4}),
            (number.one, 1),
            (2**64, 2**64),
            ("\ud800", "\ud800"),
        ]
        for value, expected in cases:
            with self.subTest(repr(value)):
                self.assertEqual(answered(value), expected)

    def test_non_finite_numbers_have_the_form_of_the_option(self) -> None:
        value = {"a": [math.nan, -math.inf, 1.0], math.inf: 1}
        self.assertEqual(answered(value), {"a": ["NaN", "-Infinity", 1.0], "Infinity": 1})
        self.assertEqual(answered(value, nonFinite="null")["a"], [None, None, 1.0])
        text = refused(value, nonFinite="error")
        self.assertIn("the answer has NaN at `result['a'][0]`", text)
        self.assertIn("choose a form with NON_FINITE_NUMBERS", text)

    def test_the_encoder_that_a_script_replaces_gives_values_a_form(self) -> None:
        def default(_: json.JSONEncoder, value: Any) -> Any:
            return value.isoformat()

        value = {"day": datetime.date(2020, 1, 2)}
        with mock.patch.object(json.JSONEncoder, "default", default):
            self.assertEqual(answered(value), {"day": "2020-01-02"})
            self.assertEqual(answered([value, math.nan]), [{"day": "2020-01-02"}, "NaN"])
            self.assertIn("a set at `result[0]`", refused([{1}]))
        self.assertIn("datetime.date at `result['day']`", refused(value))

    def test_values_without_a_form_are_named_with_what_to_do(self) -> None:
        @dataclasses.dataclass
        class Score:
            x: int = 1

        class Custom:
            pass

        cases: list[tuple[Any, str, str]] = [
            ({1}, "a set", "return list(value)"),
            (b"x", "a bytes", "base64.b64encode(value).decode()"),
            (1j, "a complex", "[value.real, value.imag]"),
            (datetime.datetime(2020, 1, 2), "a datetime.datetime", "value.isoformat()"),
            (decimal.Decimal(1), "a decimal.Decimal", "float(value)"),
            (pathlib.Path(), "Path", "str(value)"),
            (uuid.uuid4(), "a uuid.UUID", "str(value)"),
            (enum.Enum("colour", "red").red, "colour", "value.value"),
            (Score(), "Score", "dataclasses.asdict(value)"),
            (ValueError("x"), "a ValueError", "str(error)"),
            (deque([1]), "a collections.deque", "list(value)"),
            ({}.keys(), "a dict_keys", "list(value)"),
            (Custom(), "Custom", "dicts, lists, texts"),
            (len, "a builtin_function_or_method", "call it"),
            ((each for each in ()), "a generator", "it alone, which streams it"),
        ]
        for value, what, instead in cases:
            with self.subTest(what):
                text = refused({"answer": [0, value]})
                self.assertIn(what, text)
                self.assertIn("at `result['answer'][1]`, which has no JSON form: return", text)
                self.assertIn(instead, text)

    def test_keys_without_a_form_are_named(self) -> None:
        self.assertIn("a dict with a key of type tuple at `result[0]`", refused([{(1, 2): 3}]))

    def test_a_value_that_contains_itself_is_named(self) -> None:
        value: list[Any] = [1]
        value.append({"again": value})
        self.assertIn("a list that contains itself at `result[1]['again']`", refused(value))

    def test_values_that_are_shared_are_answered_twice(self) -> None:
        shared = [math.nan]
        self.assertEqual(answered([shared, shared]), [["NaN"], ["NaN"]])

    def test_deep_values_are_refused(self) -> None:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        self.assertIn("lists and dicts nested too deep", refused(value))

    def test_an_integer_without_a_text_is_refused(self) -> None:
        text = refused({"n": 10**5000})
        self.assertIn("an integer of more than 4300 digits at `result['n']`", text)

    def test_an_answer_above_the_limit_is_refused(self) -> None:
        self.assertEqual(answered("a" * 8, answerLimitBytes=10), "a" * 8)
        with self.assertRaises(Failure) as caught:
            answer_of("a" * 9, start(answerLimitBytes=10))
        self.assertEqual(caught.exception.code, "answer_too_large")
        self.assertIn("more than 10 bytes (ANSWER_LIMIT_BYTES)", caught.exception.message)

    def test_iterators_stream(self) -> None:
        async def chunks() -> Any:
            yield 1

        sources: list[Any] = [iter([1]), (each for each in "a"), map(str, [1]), chunks()]
        for source in sources:
            answer = answer_of(source, start())
            self.assertIs(answer.chunks, source)
            self.assertIsNone(answer.headers)


@unittest.skipIf(numpy is None, "numpy is not installed")
class Arrays(unittest.TestCase):
    """Of numpy."""

    def test_arrays_are_lists_of_exact_numbers(self) -> None:
        cases: list[tuple[Any, Any]] = [
            (numpy.array([2**63 - 1, -(2**63)]), [2**63 - 1, -(2**63)]),
            (numpy.array([2**64 - 1], dtype="u8"), [2**64 - 1]),
            (numpy.array([[1, 2], [3, 4]], dtype="i1"), [[1, 2], [3, 4]]),
            (numpy.array([True, False]), [True, False]),
            (numpy.array(["ä", "b"]), ["ä", "b"]),
            (numpy.array([0.1, 1e300]), [0.1, 1e300]),
            (numpy.array([0.1], dtype="f2"), [0.1]),
            (numpy.array(5), 5),
            (numpy.array([], dtype="f4"), []),
            (numpy.zeros((2, 0)), [[], []]),
            (numpy.array([0.5], dtype="longdouble"), [0.5]),
            (numpy.array([1, "a", None, [2]], dtype=object), [1, "a", None, [2]]),
        ]
        for value, expected in cases:
            with self.subTest(repr(value)):
                self.assertEqual(answered(value), expected)
                self.assertEqual(answered({"a": [value]}), {"a": [expected]})

    def test_floats_of_32_bits_have_their_shortest_digits(self) -> None:
        self.assertEqual(answer_of(numpy.float32([0.1, 2.5]), start()).body, b"[0.1,2.5]")
        self.assertEqual(answer_of([numpy.float32(0.1)], start()).body, b"[0.1]")
        random = numpy.random.default_rng(0).random(1000, dtype="f4")
        values = numpy.array(answered(random), dtype="f4")
        self.assertTrue((values == random).all())

    def test_numbers_are_numbers_also_as_keys(self) -> None:
        value = {numpy.int64(3): numpy.int64(5), "b": numpy.bool_(True), "f": numpy.float16(0.1)}
        self.assertEqual(answered(value), {"3": 5, "b": True, "f": 0.1})

    def test_non_finite_numbers_have_the_form_of_the_option(self) -> None:
        value = {"a": numpy.array([[1, numpy.nan], [-numpy.inf, 2]], dtype="f4")}
        self.assertEqual(answered(value), {"a": [[1.0, "NaN"], ["-Infinity", 2.0]]})
        self.assertEqual(answered(numpy.float64("nan"), nonFinite="null"), None)
        self.assertIn("NaN at `result['a'][0][1]`", refused(value, nonFinite="error"))

    def test_arrays_without_a_form_are_named_with_what_to_do(self) -> None:
        cases: list[tuple[Any, str]] = [
            (numpy.array(["2020-01-02"], dtype="M8[D]"), "a numpy array of datetime64[D]"),
            (numpy.array([1j]), "a numpy array of complex128"),
            (numpy.array([b"x"]), "a numpy array of |S1"),
            (numpy.zeros(1, dtype=[("x", "i4")]), "a numpy array of [('x', '<i4')]"),
            (numpy.datetime64("2020-01-02"), "a numpy.datetime64"),
            (numpy.array([{1}], dtype=object), "a set"),
        ]
        for value, what in cases:
            with self.subTest(what):
                self.assertIn(what, refused([value]))


@unittest.skipIf(pandas is None, "pandas is not installed")
class Frames(unittest.TestCase):
    """Of pandas."""

    def test_frames_are_named_with_what_to_do(self) -> None:
        frame = pandas.DataFrame({"a": [1]})
        self.assertIn("return frame.to_dict(orient='records')", refused(frame))
        self.assertIn("return series.tolist()", refused({"a": frame["a"]}))
        self.assertIn("return value.isoformat()", refused(pandas.Timestamp("2020-01-02")))

    def test_records_of_a_frame_are_answered(self) -> None:
        frame = pandas.DataFrame({"a": [1, 2], "b": [0.5, math.nan], "c": ["x", "y"]})
        expected = [{"a": 1, "b": 0.5, "c": "x"}, {"a": 2, "b": "NaN", "c": "y"}]
        self.assertEqual(answered(frame.to_dict(orient="records")), expected)


class DoubleEncoding(ScriptTest):
    """Of JSON in a text."""

    def test_it_is_warned_of_once(self) -> None:
        script = self.load("def init(): pass\ndef run(data): return data\n")
        with self.assertLogs("scoring_server", "WARNING") as log:
            for text in ("text", "{no json}", "[1]", ' {"a":1}'):
                self.assertEqual(json.loads(script.answer_of(text).body), text)
        self.assertEqual(len(log.output), 1)
        self.assertIn("run() returned a string that is itself JSON", log.output[0])


if __name__ == "__main__":
    unittest.main()
