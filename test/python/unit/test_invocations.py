"""Bodies and answers of /invocations, with and without a declared schema."""

from __future__ import annotations

import base64
import json
import math
import unittest
from typing import Any

from scoring_worker import invocations, kinds
from scoring_worker.accept import preferred
from scoring_worker.answers import Answer, answer_of
from scoring_worker.failures import Failure
from scoring_worker.inputs import members_reader
from scoring_worker.messages import Request
from scoring_worker.npy import read_npy, write_npy
from scoring_worker.rows import read_csv
from scoring_worker.signature import Signature
from set_up import ScriptTest, request, start

LINES = "application/jsonlines"
NPY = "application/x-npy"
# numpy 2.4.6 wrote them.
FLOATS = "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPwAAAEAAAEBAAACAQAAAoEA="  # noqa: E501
FORTRAN = "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgyLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAMAAAAAAAAAAQAAAAAAAAAEAAAAAAAAAAIAAAAAAAAABQAAAAAAAAA="  # noqa: E501
TEXTS = "k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAAAAAAAOkAAAAA9gEAAAAAAAAAAAA="  # noqa: E501


def invoked(body: bytes | str, content_type: str, accept: str = "") -> Request:
    headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
    return request(body, protocol=kinds.PROTOCOL_INVOCATIONS, headers=headers)


def declared(body: bytes | str, content_type: str, json_nan: str = "accept") -> Any:
    """What the first parameter of run() gets, in a script with @input_schema."""
    read = members_reader(Signature((("data", None), ("other", 1)), False), json_nan)
    arguments = read(invoked(body, content_type))
    assert arguments["other"] == 1
    return arguments["data"]


def answered(value: Any, content_type: str, accept: str = "", body: str = "1\n2\n") -> Any:
    """Content type and body of the answer."""
    sent = invoked(body, content_type, accept)
    answer = invocations.wrap(sent, answer_of(value, start()), start())
    kind = dict(answer.headers or []).get("Content-Type", "application/json")
    return kind, answer.body


class Bodies(ScriptTest):
    def test_a_script_gets_texts_and_the_bytes_of_an_array(self) -> None:
        script = self.load("def init(): pass\ndef run(raw): return raw\n")
        for body, kind in (("1,2\n", "text/csv"), ("[1]\n[2]\n", LINES), ('{"a":1}', "")):
            with self.subTest(kind):
                self.assertEqual(script.bind(invoked(body, kind))(), body)
        self.assertEqual(script.bind(invoked(b"\x93NUMPY", NPY))(), b"\x93NUMPY")

    def test_rows_are_the_first_parameter_of_a_script_that_declares_its_input(self) -> None:
        self.assertEqual(declared("1,2\r\n\r\n3.5,x\r\n", "text/csv"), [[1, 2], [3.5, "x"]])
        named = declared("a,b\n1,\n", 'text/csv; header="present"')
        self.assertEqual(named, [{"a": 1, "b": None}])
        self.assertEqual(declared('[1]\n\n{"a":2}\n', LINES), [[1], {"a": 2}])
        self.assertEqual(declared(base64.b64decode(FLOATS), NPY), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(declared('{"data": [1]}', "application/json"), [1])

    def test_fields_are_numbers_texts_booleans_and_gaps(self) -> None:
        row = '"a,""b",007,-1e3,True,,.5,inf,9007199254740993'
        expected = ['a,"b', 7, -1000.0, True, None, 0.5, math.inf, 9007199254740993]
        self.assertEqual(read_csv(row, False), [expected])
        self.assertTrue(math.isnan(read_csv("nan", False)[0][0]))

    def test_what_cannot_be_read_is_refused_by_its_line(self) -> None:
        for body, kind, code, text in (
            ("1,2\n3\n", "text/csv", "invalid_input", "line 2: expected 2 fields"),
            ('"a\n', "text/csv", "invalid_input", "RFC 4180"),
            ("\n", "text/csv", "invalid_input", "at least one row"),
            (b"\xff", "text/csv", "bad_text", "UTF-8"),
            ("1\n{\n", LINES, "bad_json", "line 2"),
            ("\n", LINES, "bad_json", "empty"),
            ("[" * 100_000, LINES, "bad_json", "line 1"),
            ("x", NPY, "invalid_input", "numpy.save"),
        ):
            with self.subTest(text), self.assertRaises(Failure) as caught:
                declared(body, kind)
            self.assertEqual(caught.exception.code, code)
            self.assertIn(text, caught.exception.message)
        with self.assertRaises(Failure):
            declared("NaN\n", LINES, "refuse")

    def test_other_routes_read_no_rows(self) -> None:
        read = members_reader(Signature((("data", None),), False), "accept")
        with self.assertRaises(Failure) as caught:
            read(request("1,2", headers={"Content-Type": "text/csv"}))
        self.assertEqual(caught.exception.code, "unsupported_content_type")


class Arrays(unittest.TestCase):
    def test_files_of_numpy_are_read_and_written(self) -> None:
        self.assertEqual(read_npy(base64.b64decode(FORTRAN)), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(read_npy(base64.b64decode(TEXTS)), ["a", "é😀", ""])
        for value in ([[1, 2]], [0.5, 2], [True], ["a", "bcd"], [[[]]], [[1, "NaN"]], [2**63, 1]):
            with self.subTest(str(value)):
                written = write_npy(value, 1000)
                assert written is not None
                again = read_npy(written)
                self.assertEqual(json.dumps(again).replace("NaN", '"NaN"'), self.expected(value))
        self.assertEqual(write_npy(["a", "é😀", ""], 24), base64.b64decode(TEXTS))
        for odd in (1, {"a": 1}, [1, "x"], [[1], [2, 3]], [None], [10**400, 0.5], ["a" * 200, "b"]):
            self.assertIsNone(write_npy(odd, 1000))

    def expected(self, value: Any) -> str:
        mixed = any(isinstance(each, float) or each == 2**63 for each in value)
        return json.dumps([float(each) for each in value] if mixed else value).replace(
            '[[1, "NaN"]]', '[[1.0, "NaN"]]'
        )

    def test_other_files_are_refused(self) -> None:
        head = b"\x93NUMPY\x01\x00"
        for header in (
            b"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}",
            b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 0)}",
            b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
            b"{'descr': '<f4'}",
            b"__import__('os')",
            b"{'descr': '<U" + b"9" * 5000 + b"', 'fortran_order': False, 'shape': (1,)}",
            b"{'descr': '<f4', 'fortran_order': False, 'shape': (0x" + b"f" * 9000 + b",)}",
            b"{'descr': 0x" + b"f" * 9000 + b", 'fortran_order': False, 'shape': (1,)}",
            b"[" * 9000,
        ):
            body = head + len(header).to_bytes(2, "little") + header + b"\0\0\0\0"
            with self.subTest(header[:60]), self.assertRaises(Failure) as caught:
                read_npy(body)
            self.assertEqual(caught.exception.code, "invalid_input")

    def test_texts_of_no_characters_are_refused(self) -> None:
        header = b"{'descr': '<U0', 'fortran_order': False, 'shape': (100,)}"
        with self.assertRaises(Failure):
            read_npy(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


class Answers(unittest.TestCase):
    def test_lines_are_answered_by_lines_and_others_by_json(self) -> None:
        self.assertEqual(answered([1.5, None], LINES), (LINES, b"1.5\nnull\n"))
        csv = "text/csv; charset=utf-8"
        self.assertEqual(answered([[1, "a,b"], [2, ""]], "text/csv"), (csv, b'1,"a,b"\n2,\n'))
        self.assertEqual(answered([1], "application/json"), ("application/json", b"[1]"))
        self.assertEqual(answered([1], NPY, "*/*"), ("application/json", b"[1]"))

    def test_accept_chooses(self) -> None:
        self.assertEqual(answered([1], "text/csv", "application/json")[1], b"[1]")
        self.assertEqual(answered([1], "application/json", "text/csv")[1], b"1\n")
        kind, body = answered([1, 2], "application/json", NPY)
        self.assertEqual((kind, read_npy(body)), (NPY, [1, 2]))
        self.assertEqual(answered([1], "text/csv", "image/png")[1], b"[1]")

    def test_a_dict_of_as_many_rows_is_an_object_a_line(self) -> None:
        value = {"a": [1, 2], "b": ["x", "y"]}
        self.assertEqual(answered(value, LINES)[1], b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n')
        self.assertEqual(answered(value, "text/csv")[1], b"1,x\n2,y\n")
        one = b'{"a": [1, 2], "b": ["x", "y"]}'
        self.assertEqual(
            json.loads(answered(value, LINES, body="1\n")[1]), json.loads(one), "one row was sent"
        )

    def test_a_value_without_the_form_stays_json(self) -> None:
        for value in ({"a": {"b": 1}}, [[[1]]]):
            kind, body = answered(value, "text/csv")
            self.assertEqual((kind, json.loads(body)), ("application/json", value))
        self.assertEqual(answered("a,b\n", "text/csv")[1], b"a,b\n")

    def test_responses_and_large_answers(self) -> None:
        own = Answer(200, b"x", [("Content-Type", "text/plain")])
        self.assertIs(invocations.wrap(invoked("1", "text/csv"), own, start()), own)
        with self.assertRaises(Failure) as caught:
            small = start(answerLimitBytes=10)
            invocations.wrap(invoked("1", "text/csv"), Answer(200, b"[1,2,3,4,5,6]"), small)
        self.assertEqual(caught.exception.code, "answer_too_large")

    def test_the_type_that_is_wanted_most(self) -> None:
        offered = ("application/json", "text/csv")
        for accept, kind in (
            ("", "application/json"),
            ("*/*", "application/json"),
            ("text/*", "text/csv"),
            ("application/json;q=0, */*", "text/csv"),
            ("text/csv;q=0.9, application/json;q=0.2", "text/csv"),
            ("text/html", None),
        ):
            with self.subTest(accept):
                self.assertEqual(preferred(accept, offered), kind)
