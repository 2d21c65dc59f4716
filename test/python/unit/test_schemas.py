"""Scripts that declare their data with inference_schema, where that package is installed."""

from __future__ import annotations

import importlib.util
import json
import sys
import unittest
from typing import Any

from scoring_worker.failures import Failure
from set_up import ScriptTest, request

HEAD = """
import datetime
import numpy, pandas
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType as Numpy
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType as Pandas
from inference_schema.parameter_types.standard_py_parameter_type import (
    StandardPythonParameterType as Standard,
)
def init(): pass
"""
MISSING = importlib.util.find_spec("inference_schema") is None


@unittest.skipIf(MISSING, "inference_schema is not installed")
class SchemaTest(ScriptTest):
    """Loads scripts of declarations."""

    def declared(self, declarations: str, run: str = "def run(data): return data") -> Any:
        """A script with these decorators."""
        for name in [each for each in sys.modules if each.startswith("inference_schema")]:
            del sys.modules[name]
        return self.load(f"{HEAD}\n{declarations}\n{run}\n")

    def got(self, script: Any, body: Any, **members: Any) -> Any:
        """What run() returns of the JSON of a body."""
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return script.bind(request(text, **members))()

    def refused(self, script: Any, body: Any, **members: Any) -> tuple[str, str]:
        """Code and text of a refusal."""
        try:
            self.got(script, body, **members)
        except Exception as raised:
            failure = script.failure_of(raised)
            assert isinstance(failure, Failure), failure
            return failure.code, failure.message
        raise AssertionError("it is not refused")


class Members(SchemaTest):
    """Of bodies and queries."""

    def setUp(self) -> None:
        super().setUp()
        self.script = self.declared(
            "@input_schema('num', Standard(1))", "def run(num, factor=2): return num * factor"
        )

    def test_members_are_parameters_and_others_are_ignored(self) -> None:
        self.assertEqual(self.got(self.script, {"num": 3, "extra": 1}), 6)
        self.assertEqual(self.got(self.script, {"num": 3, "factor": 5}), 15)
        kind = "application/vnd.api+json; charset=utf-8"
        self.assertEqual(self.got(self.script, {"num": 3}, content_type=kind), 6)

    def test_members_of_a_query_are_parameters(self) -> None:
        got = self.got(self.script, "", method="GET", url="/score?num=4", content_type="")
        self.assertEqual(got, 8)

    def test_bodies_that_do_not_fit_are_refused_with_azures_texts(self) -> None:
        bad = "POST body could not be decoded as JSON: "
        tail = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
        missing = ("invalid_input", "A value is not provided for the 'num' parameter.")
        cases: list[tuple[Any, tuple[str, str]]] = [
            ("", ("bad_json", "POST body is empty. Expecting a JSON dictionary.")),
            ("{bad", ("bad_json", bad + tail)),
            ([1], ("bad_json", "POST body should be a JSON dictionary.")),
            ({}, missing),
        ]
        for body, expected in cases:
            with self.subTest(body):
                self.assertEqual(self.refused(self.script, body), expected)
        self.assertEqual(self.refused(self.script, "", method="GET"), missing)

    def test_bodies_without_a_text_are_refused(self) -> None:
        for body in (b'{"num": "\xff"}', b'{"num":' + b"[" * 100_000):
            code, text = self.refused(self.script, body)
            self.assertEqual(code, "bad_json")
            self.assertTrue(text.startswith("POST body could not be decoded as JSON: "), text)

    def test_other_content_types_are_refused(self) -> None:
        expected = ("unsupported_content_type", "Expects Content-Type to be application/json")
        for kind in ("", "text/plain", "application/x-www-form-urlencoded"):
            self.assertEqual(self.refused(self.script, {"num": 1}, content_type=kind), expected)

    def test_bare_nan_is_taken_or_refused(self) -> None:
        self.assertEqual(str(self.got(self.script, '{"num":1,"factor":NaN}')), "nan")
        path = self.script.path
        from scoring_worker.script import load
        from set_up import start

        strict = load(start(entryScript=path, jsonNan="refuse"))
        code, text = self.refused(strict, '{"num":1,"factor":NaN}')
        self.assertEqual(code, "bad_json")
        self.assertIn("NaN is no number of JSON", text)

    def test_raw_access_and_a_schema_contradict_each_other(self) -> None:
        with self.assertRaises(Failure) as caught:
            self.declared(
                "from azureml.contrib.services.aml_request import rawhttp\n"
                "@rawhttp\n@input_schema('data', Standard(1))"
            )
        text = "run() cannot be decorated with both @rawhttp and @input_schema"
        self.assertEqual(caught.exception.message, text)

    def test_headers_are_no_member(self) -> None:
        script = self.declared(
            "@input_schema('num', Standard(1))",
            "def run(num, request_headers): return [num, request_headers['X-A']]",
        )
        self.assertEqual(
            self.got(script, {"num": 1}, headers={"x-a": "2"}, content_type="application/json"),
            [1, "2"],
        )


class Conversions(SchemaTest):
    """Of values to the types of samples."""

    def test_values_get_the_type_of_the_sample(self) -> None:
        frame = "pandas.DataFrame({'a': [1], 'b': ['x']})"
        cases: list[tuple[str, Any, str]] = [
            ("Numpy(numpy.array([[1.0, 2.0]]))", [[3, "4"]], "array([[3., 4.]])"),
            ("Standard('text')", "x", "'x'"),
            ("Standard(1.5)", 2, "2"),
            ("Standard(b'x')", "YWI=", "b'ab'"),
            ("Standard({'a': Numpy(numpy.array([1]))})", {"a": [2]}, "{'a': array([2])}"),
            ("Standard([Standard(1)])", [1, 2], "[1, 2]"),
            (
                "Standard(datetime.datetime(2020, 1, 2))",
                "2021-02-03 04:05",
                "datetime.datetime(2021, 2, 3, 4, 5)",
            ),
        ]
        for sample, value, expected in cases:
            with self.subTest(sample):
                script = self.declared(f"@input_schema('data', {sample})")
                self.assertEqual(repr(self.got(script, {"data": value})), expected)
        orients: dict[str, Any] = {
            "records": [{"a": "7", "b": "y"}],
            "split": {"columns": ["a", "b"], "index": [0], "data": [[7, "y"]]},
            "index": {"0": {"a": 7, "b": "y"}},
            "columns": {"a": {"0": 7}, "b": {"0": "y"}},
        }
        for orient, value in orients.items():
            with self.subTest(orient):
                script = self.declared(f"@input_schema('data', Pandas({frame}, orient='{orient}'))")
                got = self.got(script, {"data": value})
                self.assertEqual(got.to_dict(orient="records"), [{"a": 7, "b": "y"}])

    def test_values_that_do_not_fit_are_the_clients_fault(self) -> None:
        matrix = "Numpy(numpy.array([[1.0, 2.0]]))"
        frame = "Pandas(pandas.DataFrame({'a': [1], 'b': ['x']}))"
        size = "has size 3 on dimension #1, while expected value is 2"
        cases: list[tuple[str, Any, str]] = [
            (matrix, [[1, 2, 3]], f"Invalid input array: array {size}"),
            (
                matrix,
                [1, 2],
                "Invalid input array: an array with 2 dimensions is expected; "
                "input has 1 [shape (2,)]",
            ),
            (matrix, 5, "Invalid input format: expected an array of items."),
            (matrix, [["x", 1]], "could not convert string to float: 'x'"),
            (
                frame,
                [{"a": 1, "b": "x", "c": 1}],
                f"Invalid input data frame: data frame {size}",
            ),
            (
                frame,
                5,
                "Error, unable to convert input of type <class 'int'> into Pandas Dataframe",
            ),
            (
                "Standard(1)",
                "x",
                "Invalid input data type to parse. Expected: <class 'int'> but got <class 'str'>",
            ),
            ("Standard(b'x')", 5, "'int' object has no attribute 'encode'"),
            (
                "Numpy(numpy.array([(1, 2.0)], dtype=[('x', 'i4'), ('y', 'f8')]))",
                [{"x": 1}],
                "A value is not provided for 'y'.",
            ),
        ]
        for sample, value, expected in cases:
            with self.subTest(sample, value=value):
                script = self.declared(f"@input_schema('data', {sample})")
                self.assertEqual(self.refused(script, {"data": value}), ("invalid_input", expected))

    def test_errors_of_run_itself_are_not_the_clients(self) -> None:
        declaration = "@input_schema('data', Standard(1))"
        helper = "@input_schema('inner', Standard(1))\ndef helper(inner): return inner"
        cases = {
            declaration: "def run(data): raise ValueError('Invalid input data type')",
            f"{declaration}\n@input_schema('other', Standard(1))": (
                "def run(data, other=1): return int('x')"
            ),
            f"{helper}\n{declaration}": ("def run(data): return helper(inner='x')"),
            "@input_schema('data', Standard(datetime.date(2020, 1, 2)))": "def run(data): pass",
        }
        for declarations, run in cases.items():
            with self.subTest(run):
                script = self.declared(declarations, run)
                body = {"data": "2020-01-02" if "date(" in declarations else 1}
                if sys.version_info >= (3, 14) and "date(" in declarations:
                    continue
                code, text = self.refused(script, body)
                self.assertEqual(code, "run_failed")
                self.assertIn("Traceback", text)

    def test_stacked_and_optional_parameters_work_as_in_the_package(self) -> None:
        script = self.declared(
            "@input_schema('a', Numpy(numpy.array([1])), convert_to_provided_type=False)\n"
            "@input_schema('b', Standard(1), optional=True)\n"
            "@output_schema(Standard({'sum': 1.0}))",
            "def run(a, b=None): return [a, b]",
        )
        self.assertEqual(self.got(script, {"a": [1]}), [[1], None])
        self.assertEqual(self.got(script, {"a": [1], "b": 2}), [[1], 2])
        self.assertEqual(self.refused(script, {"a": [1], "b": "x"})[0], "invalid_input")

    def test_a_sample_stays_as_it_is(self) -> None:
        script = self.declared(
            "@input_schema('data', Standard({'a': Numpy(numpy.array([1]))}))",
            "def run(data): return data['a'].tolist()\nsample = {'data': {'a': [3]}}",
        )
        for _ in range(2):
            self.assertEqual(script.bind_sample(request())(), [3])
        self.assertEqual(script.sample, {"data": {"a": [3]}})

    def test_a_sample_needs_no_parameter_with_a_default(self) -> None:
        script = self.declared(
            "@input_schema('a', Standard(1))\n@input_schema('b', Standard(1))",
            "def run(a, b=2): return [a, b]\nsample = {'a': 3, 'more': 4}",
        )
        self.assertEqual(script.bind_sample(request())(), [3, 2])

    def test_async_functions_are_converted(self) -> None:
        script = self.declared(
            "@input_schema('data', Standard(1))", "async def run(data): return data"
        )
        self.assertTrue(script.is_async)
        self.got(script, {"data": 1}).close()
        self.assertEqual(self.refused(script, {"data": "x"})[0], "invalid_input")


class Documents(SchemaTest):
    """Of swagger.json."""

    def test_they_are_those_of_the_package(self) -> None:
        script = self.declared(
            "@input_schema('data', Numpy(numpy.array([[1.0, 2.0], [3.0, 4.0]])))\n"
            "@input_schema('nested', Standard({'i1': Numpy(numpy.array([1, 2])), 'i2': 0.5}))\n"
            "@output_schema(Standard({'Results': [1.0]}))",
            "def run(data, nested, extra): return {}",
        )
        ready = script.ready()
        self.assertTrue(ready["parsesJson"])
        self.assertFalse(ready["rawHttp"])
        number = {"type": "number", "format": "double"}
        matrix = {"type": "array", "items": {"type": "array", "items": number}}
        vector = {"type": "array", "items": {"type": "integer", "format": "int64"}}
        nested = {
            "type": "object",
            "required": ["i1", "i2"],
            "properties": {"i1": {**vector, "format": "numpy.ndarray"}, "i2": number},
        }
        example = {
            "data": [[1.0, 2.0], [3.0, 4.0]],
            "nested": {"i1": [1, 2], "i2": 0.5},
            "extra": "",
        }
        self.assertEqual(
            ready["schemas"],
            {
                "input": {
                    "type": "object",
                    "properties": {
                        "data": {**matrix, "format": "numpy.ndarray"},
                        "nested": nested,
                        "extra": {},
                    },
                    "example": example,
                },
                "output": {
                    "type": "object",
                    "required": ["Results"],
                    "properties": {"Results": {"type": "array", "items": number}},
                    "example": {"Results": [1.0]},
                },
                "versions": ["2", "3", "3.1"],
            },
        )
        self.assertEqual(json.loads(ready["example"]), example)

    def test_lists_of_mixed_types_have_no_document_of_version_2(self) -> None:
        ready = self.declared("@input_schema('data', Standard([1, 'a']))").ready()
        self.assertEqual(ready["schemas"]["versions"], ["3", "3.1"])

    def test_an_output_alone_declares_the_members_too(self) -> None:
        script = self.declared("@output_schema(Standard(1))")
        self.assertEqual(self.got(script, {"data": [1]}), [1])
        self.assertEqual(script.ready()["schemas"]["input"], {"type": "object"})

    def test_samples_that_json_lacks_are_null(self) -> None:
        script = self.declared("@input_schema('data', Numpy(numpy.array([numpy.nan])))")
        self.assertEqual(script.ready()["schemas"]["input"]["example"], {"data": [None]})

    def test_a_document_that_is_too_large_is_a_warning(self) -> None:
        script = self.declared("@input_schema('data', Numpy(numpy.zeros(600_000)))")
        with self.assertLogs("scoring_server", "WARNING") as log:
            self.assertNotIn("schemas", script.ready())
        self.assertIn("Declare shorter samples", log.output[0])

    def test_a_document_that_is_too_deep_is_a_warning(self) -> None:
        self.addCleanup(sys.setrecursionlimit, sys.getrecursionlimit())
        sys.setrecursionlimit(20_000)
        deep = "import functools\ndeep = functools.reduce(lambda deep, _: [deep], range(1100), 1)\n"
        script = self.declared(f"{deep}@input_schema('data', Standard(deep))")
        with self.assertLogs("scoring_server", "WARNING") as log:
            self.assertNotIn("schemas", script.ready())
        self.assertIn("levels, and 1000 are the most", log.output[0])

    def test_scripts_without_a_declaration_have_none(self) -> None:
        ready = self.declared("").ready()
        self.assertEqual(ready, {"rawHttp": False, "parsesJson": False})


if __name__ == "__main__":
    unittest.main()
