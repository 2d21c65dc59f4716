"""Instances and predictions, as KServe V1 and Vertex AI wrap data."""

from __future__ import annotations

import json
import unittest
from typing import Any

from scoring_worker import instances
from scoring_worker.answers import Answer, answer_of
from scoring_worker.failures import Failure
from scoring_worker.messages import Request
from scoring_worker.thrown_answers import thrown_answer
from set_up import ScriptTest, request, start

ECHO = "def init(): pass\ndef run({}): return {}\n"
OBJECT = 'expected an object with a list "instances", or with "inputs"'
INPUTS = "expected a list of instances, or an object of inputs by name"


def wrapped(body: str) -> Request:
    """A request of the platform."""
    of = request(body)
    instances.unwrap(of, start())
    return of


class Unwrapping(ScriptTest):
    """What run() gets."""

    def got(self, body: str) -> Any:
        """What run() got."""
        return self.load(ECHO.format("raw", "raw")).bind(wrapped(body))()

    def test_it_is_the_text_of_the_instances_as_the_client_wrote_it(self) -> None:
        for body, text in (
            ('{"instances":[[1.0, 2e3]]}', "[[1.0, 2e3]]"),
            (' { "instances" : [ {"a":"}:,"} ] } ', '[ {"a":"}:,"} ]'),
            ('{"inputs":{"a":[1]}}', '{"a":[1]}'),
            ('{"parameters":{"instances":[0]},"instances":["ä"]}', '["ä"]'),
            ('{"inst\\u0061nces":[1]}', "[1]"),
            ('{"instances":[1],"inst\\u0061nces":[2]}', "[2]"),
            ('{"instances":[NaN,12345678901234567890]}', "[NaN,12345678901234567890]"),
            ('{"instances":[],"other":[1,{}],"parameters":null}', "[]"),
        ):
            with self.subTest(body):
                self.assertEqual(self.got(body), text)

    def test_other_bodies_are_refused_with_what_came(self) -> None:
        for body, message in (
            ("[[1]]", f"the body: {OBJECT}, got [[1]]"),
            ("null", f"the body: {OBJECT}, got null"),
            ("{}", f"the body: {OBJECT}, got the members []"),
            ('{"data":[1]}', f'the body: {OBJECT}, got the members ["data"]'),
            (
                json.dumps(["x" * 50, "y" * 50]),
                f'the body: {OBJECT}, got ["{"x" * 50}","yyyyy…',
            ),
            ('{"instances":null}', f'the body: {OBJECT}, got the members ["instances"]'),
            ('{"instances":{"a":1}}', '"instances": expected a list of instances, got {"a":1}'),
            ('{"inputs":5}', f'"inputs": {INPUTS}, got 5'),
            (
                '{"instances":[],"inputs":[]}',
                'the body: expected either "instances" or "inputs", got both',
            ),
            (
                '{"instances":[],"parameters":[1]}',
                "parameters of the request: expected an object, got [1]",
            ),
        ):
            with self.subTest(body), self.assertRaises(Failure) as caught:
                self.got(body)
            self.assertEqual(
                (caught.exception.code, caught.exception.message), ("invalid_input", message)
            )

    def test_bodies_that_are_no_json_are_refused_with_pythons_reason(self) -> None:
        for body in (
            "",
            "{",
            '{"instances"',
            '{"instances":',
            '{"instances":[1]',
            '{"instances":[1],}',
            '{"instances":[1]} 2',
            "x",
            "{1:2}",
            '{"a" 1}',
        ):
            with self.subTest(body), self.assertRaises(Failure) as caught:
                self.got(body)
            self.assertEqual(caught.exception.code, "bad_json")

    def test_any_json_arrives(self) -> None:
        values: list[Any] = [
            None,
            True,
            1,
            -1.5,
            "",
            '\u2028"\\',
            [],
            [[]],
            {},
            {"a": {"b": [None]}},
        ]
        for value in values:
            for spaces in (None, 2):
                with self.subTest(value):
                    body = json.dumps({"instances": [value, value]}, indent=spaces)
                    self.assertEqual(json.loads(self.got(body)), [value, value])

    def test_a_raw_script_gets_the_request_as_it_is(self) -> None:
        source = (
            "from azureml.contrib.services.aml_request import rawhttp\n"
            "def init(): pass\n@rawhttp\ndef run(request): return request.get_data().decode()\n"
        )
        self.assertEqual(self.load(source).bind(wrapped("no JSON"))(), "no JSON")


class Wrapping(unittest.TestCase):
    """What the client gets."""

    def answered(self, result: Any, count: int | None = None) -> Any:
        """The body for what run() returned to so many instances."""
        of = wrapped("{}")
        assert of.instances
        of.instances.count = count
        return json.loads(instances.wrap(of, answer_of(result, start()), start()).body)

    def test_what_run_returned_is_the_predictions(self) -> None:
        for value in (None, [], [1, [2]], "a", 5, True, {}, {"a": 1}, {"a": [1, 2]}):
            with self.subTest(value):
                self.assertEqual(self.answered(value, 1), {"predictions": value})

    def test_an_object_that_has_predictions_is_left_as_it_is(self) -> None:
        value = {"predictions": [1], "model": "v2"}
        self.assertEqual(self.answered(value, 1), value)

    def test_columns_become_an_object_a_row(self) -> None:
        columns = {"a": [1, 2], "b": ("x", "y")}
        rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
        self.assertEqual(self.answered(columns, 2), {"predictions": rows})
        self.assertEqual(self.answered(columns), {"predictions": rows})
        self.assertEqual(self.answered({"a": [1, 2]}, 2), {"predictions": [1, 2]})
        for other in ({"a": [1, 2], "b": [1]}, {"a": [1, 2], "b": 1}):
            self.assertEqual(self.answered(other), {"predictions": other})

    def test_an_answer_that_is_too_large_with_its_wrapping_is_refused(self) -> None:
        small = start(answerLimitBytes=10)
        with self.assertRaises(Failure) as caught:
            instances.wrap(wrapped("{}"), answer_of([1, 2], small), small)
        self.assertEqual(caught.exception.code, "answer_too_large")

    def test_the_answer_of_a_raw_script_is_left_as_it_is(self) -> None:
        answer = Answer(201, b"x", [("content-type", "text/plain")])
        self.assertIs(instances.wrap(wrapped("{}"), answer, start()), answer)

    def test_an_error_of_the_script_is_a_text(self) -> None:
        for body, text in ((None, "too old"), ({"field": "age"}, '{"field":"age"}')):
            error = type("ScoringError", (Exception,), {"__module__": "scoring_server"})()
            error.status, error.message, error.body = 422, "too old", body
            answer = thrown_answer(error, start())
            assert answer
            refused = instances.refused(wrapped("{}"), answer, start())
            self.assertEqual((refused.status, json.loads(refused.body)), (422, {"error": text}))


class Declared(ScriptTest):
    """Scripts that declare their input take it as their first parameter."""

    def test_instances_are_the_first_parameter_and_parameters_the_others(self) -> None:
        body = wrapped('{"instances":[[1]],"parameters":{"top":3}}').instances
        assert body
        self.assertEqual(body.members("data"), {"data": [[1]], "top": 3})
        self.assertEqual(body.count, 1)

    def test_bare_numbers_are_refused_where_json_has_none(self) -> None:
        of = request('{"instances":[NaN]}')
        instances.unwrap(of, start(jsonNan="refuse"))
        assert of.instances
        with self.assertRaises(Failure) as caught:
            of.instances.members("data")
        self.assertEqual(caught.exception.code, "bad_json")
