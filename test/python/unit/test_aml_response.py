"""Answers with statuses, headers and bodies of their own."""

from __future__ import annotations

import datetime
import importlib
import math
import sys
import unittest
from typing import Any
from unittest import mock

from scoring_worker.answers import Answer, answer_of
from scoring_worker.failures import Failure
from scoring_worker.port import port
from set_up import ScriptTest, start

JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html; charset=utf-8")


class Ours(ScriptTest):
    """AMLResponse of the server."""

    def setUp(self) -> None:
        super().setUp()
        sys.path[:] = [each for each in sys.path if "site-packages" not in each]
        module = importlib.import_module("azureml.contrib.services.aml_response")
        self.made: Any = module.AMLResponse

    def answer(self, *arguments: Any, **options: Any) -> Answer:
        """The answer of an AMLResponse."""
        return answer_of(self.made(*arguments, **options), start())

    def refused(self, *arguments: Any) -> str:
        """The text of the refusal of one."""
        with self.assertRaises(Failure) as caught:
            self.answer(*arguments)
        self.assertEqual(caught.exception.code, "result_not_http")
        return caught.exception.message

    def test_no_message_is_an_empty_object(self) -> None:
        self.assertEqual(self.answer(None, 202), Answer(202, b"{}", [JSON]))

    def test_a_message_is_sent_as_it_is(self) -> None:
        self.assertEqual(self.answer("grün", 400), Answer(400, "grün".encode(), [HTML]))
        self.assertEqual(self.answer(b"\xff", 200), Answer(200, b"\xff", [HTML]))

    def test_a_json_message_is_encoded(self) -> None:
        answer = self.answer({"a": [1]}, 418, {"Content-Type": "text/plain"}, json_str=True)
        self.assertEqual(answer, Answer(418, b'{"a": [1]}', [JSON]))
        self.assertEqual(self.answer({"a": 1}, 200), Answer(200, b'{"a": 1}', [JSON]))

    def test_a_json_message_is_json_whatever_its_numbers(self) -> None:
        value = {"a": [math.nan, -math.inf]}
        self.assertEqual(self.answer(value, 200).body, b'{"a":["NaN","-Infinity"]}')
        with mock.patch.object(port, "non_finite", "null"):
            self.assertEqual(self.answer(value, 200, json_str=True).body, b'{"a":[null,null]}')
        with self.assertRaisesRegex(TypeError, r"AMLResponse got a set at `message\['a'\]`"):
            self.answer({"a": {1}}, 200, json_str=True)

    def test_the_content_type_can_be_chosen(self) -> None:
        for name in ("Content-Type", "content-type"):
            answer = self.answer(b"x", 200, {name: "image/png"})
            self.assertEqual(answer.headers, [("Content-Type", "image/png")])

    def test_a_header_is_never_split(self) -> None:
        date = "Wed, 09 Jun 2027 10:18:14 GMT"
        answer = self.answer("x", 200, {"Expires": date, "X-A": "1, 2", "X-B": ["3", "4, 5"]})
        expected = [HTML, ("Expires", date), ("X-A", "1, 2"), ("X-B", "3"), ("X-B", "4, 5")]
        self.assertEqual(answer.headers, expected)

    def test_cookies_in_one_text_are_headers_of_their_own(self) -> None:
        first = "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Path=/"
        answer = self.answer("x", 200, {"Set-Cookie": f"{first}, b=2"})
        expected = [HTML, ("Set-Cookie", first), ("Set-Cookie", "b=2")]
        self.assertEqual(answer.headers, expected)

    def test_a_failed_run_is_marked(self) -> None:
        self.assertTrue(self.answer("x", 200, run_function_failed=True).run_failed)
        self.assertFalse(self.answer("x", 404).run_failed)

    def test_a_generator_streams_and_is_closed(self) -> None:
        closed: list[bool] = []

        def chunks() -> Any:
            try:
                yield "ä"
                yield b"\xff"
            finally:
                closed.append(True)

        answer = self.answer(chunks(), 200, {"Content-Type": "text/event-stream"})
        self.assertEqual(answer.headers, [("Content-Type", "text/event-stream")])
        source: Any = answer.chunks
        self.assertEqual(next(source), "ä".encode())
        source.close()
        self.assertEqual(closed, [True])

    def test_an_async_generator_streams(self) -> None:
        async def chunks() -> Any:
            yield "a"

        self.assertTrue(hasattr(self.answer(chunks(), 200).chunks, "__anext__"))

    def test_a_list_of_chunks_is_a_whole_body(self) -> None:
        self.assertEqual(self.answer(["a", b"b"], 200).body, b"ab")

    def test_statuses_without_a_body_have_none(self) -> None:
        self.assertEqual(self.answer("x", 204), Answer(204, b"", [HTML]))
        etag = ("ETag", "1")
        self.assertEqual(self.answer("x", 304, dict([etag])), Answer(304, b"", [etag]))

    def test_a_status_may_be_a_text(self) -> None:
        self.assertEqual(self.answer("x", "201 Created").status, 201)
        with self.assertRaises(ValueError):
            self.made("x", "")

    def test_headers_of_the_connection_are_left_out(self) -> None:
        headers = {"Connection": "close", "Content-Length": "9", "Transfer-Encoding": "chunked"}
        self.assertEqual(self.answer("x", 200, headers).headers, [HTML])

    def test_what_http_cannot_carry_is_named(self) -> None:
        self.assertIn("the status 99: expected 200 to 599", self.refused("x", 99))
        self.assertIn(
            "the header X-A with U+000A at position 1", self.refused("x", 200, {"X-A": "1\n2"})
        )
        self.assertIn("a header named 'X A'", self.refused("x", 200, {"X A": "1"}))
        self.assertIn("U+20AC", self.refused("x", 200, {"X-A": "€"}))

    def test_a_message_of_another_type_is_told(self) -> None:
        with self.assertRaises(TypeError) as caught:
            self.made(5, 200)
        self.assertIn("got int: for JSON, set json_str=True", str(caught.exception))

    def test_its_members_can_be_read_and_set(self) -> None:
        response = self.made("x", 200)
        response.headers["X-A"] = "1"
        response.mimetype = "text/plain"
        response.data = "new"
        response.status = "404 NOT FOUND"
        self.assertEqual((response.status_code, response.mimetype), (404, "text/plain"))
        self.assertEqual(response.get_data(as_text=True), "new")
        answer = answer_of(response, start())
        kind = ("Content-Type", "text/plain; charset=utf-8")
        self.assertEqual(answer.headers, [("X-A", "1"), kind])

    def test_cookies_can_be_set_and_deleted(self) -> None:
        zone = datetime.timezone(datetime.timedelta(hours=1))
        expires = datetime.datetime(2027, 6, 9, 11, 18, 14, tzinfo=zone)
        response = self.made("x", 200)
        response.set_cookie("a", "1")
        response.set_cookie("b", "x y;", max_age=60, expires=expires, path=None, httponly=True)
        response.delete_cookie("c")
        self.assertEqual(
            response.headers.getlist("set-cookie"),
            [
                "a=1; Path=/",
                "b=x%20y%3B; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Max-Age=60; HttpOnly",
                "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
            ],
        )


class Installed(ScriptTest):
    """Responses of installed packages."""

    def setUp(self) -> None:
        super().setUp()
        try:
            import flask
        except ImportError:
            self.skipTest("Flask is not installed")
        self.flask = flask

    def test_responses_of_flask_pass(self) -> None:
        response = self.flask.Response("x", 404, {"X-A": "1"}, mimetype="text/plain")
        response.headers.add("X-A", "2")
        answer = answer_of(response, start())
        self.assertEqual((answer.status, answer.body), (404, b"x"))
        assert answer.headers is not None
        self.assertEqual([value for name, value in answer.headers if name == "X-A"], ["1", "2"])

    def test_responses_of_flask_stream(self) -> None:
        answer = answer_of(self.flask.Response(str(each) for each in range(2)), start())
        chunks: Any = answer.chunks
        self.assertEqual(list(chunks), [b"0", b"1"])

    def test_azures_own_aml_response_passes(self) -> None:
        try:
            module = importlib.import_module("azureml_inference_server_http.api.aml_response")
        except ImportError:
            self.skipTest("azureml-inference-server-http is not installed")
        response = module.AMLResponse({"a": 1}, 400, json_str=True, run_function_failed=True)
        answer = answer_of(response, start())
        expected = Answer(400, b'{"a": 1}', [JSON], None, True)
        self.assertEqual(answer, expected)


if __name__ == "__main__":
    unittest.main()
