"""What run() gets of a request."""

from __future__ import annotations

import json
import unittest
from typing import Any

from scoring_worker.failures import Failure
from scoring_worker.messages import Request
from set_up import ScriptTest, request

ECHO = "def init(): pass\ndef run({}): return {}\n"


class Text(ScriptTest):
    """Of scripts without a decorator."""

    def setUp(self) -> None:
        super().setUp()
        self.script = self.load(ECHO.format("raw", "raw"))

    def got(self, of: Request) -> Any:
        """What run() got."""
        return self.script.bind(of)()

    def refused(self, of: Request) -> tuple[str, str]:
        """Code and text of the refusal."""
        with self.assertRaises(Failure) as caught:
            self.script.bind(of)
        return caught.exception.code, caught.exception.message

    def test_the_body_is_a_text_whatever_the_content_type(self) -> None:
        for kind in ("", "application/json", "application/x-www-form-urlencoded", "image/png"):
            with self.subTest(kind):
                self.assertEqual(self.got(request("a=1&ä", content_type=kind)), "a=1&ä")

    def test_an_empty_body_is_an_empty_text(self) -> None:
        self.assertEqual(self.got(request()), "")

    def test_bytes_that_are_no_text_are_refused_with_pythons_reason(self) -> None:
        reason = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
        self.assertEqual(
            self.refused(request(b"\xff")),
            ("bad_text", f"Input cannot be decoded as UTF-8: {reason}"),
        )

    def test_a_query_is_the_json_text_of_an_object(self) -> None:
        url = "/score?a=1&b=[1,2]&c=a&d=null&e=x&e=2&f=1.50&g=true&h=%22q%22&i&j=%ff%C3%A4"
        got = self.got(request(method="GET", url=url))
        self.assertIsInstance(got, str)
        self.assertEqual(
            json.loads(got),
            {
                "a": 1,
                "b": [1, 2],
                "c": "a",
                "d": None,
                "e": ["x", 2],
                "f": 1.5,
                "g": True,
                "h": "q",
                "i": "",
                "j": "%FFä",
            },
        )

    def test_no_query_is_an_empty_object(self) -> None:
        self.assertEqual(self.got(request(method="GET")), "{}")

    def test_a_deep_value_of_a_query_is_a_text(self) -> None:
        deep = "[" * 100_000
        got = self.got(request(method="GET", url=f"/score?a={deep}"))
        self.assertEqual(json.loads(got), {"a": deep})

    def test_open_inference_is_sent_to_score(self) -> None:
        for protocol in (1, 2):
            self.assertEqual(
                self.refused(request(protocol=protocol)),
                (
                    "model_unknown",
                    "Entry scripts in Python answer on /score only: send the request there.",
                ),
            )


class Parameters(ScriptTest):
    """Of run()."""

    def test_other_parameters_keep_their_defaults(self) -> None:
        script = self.load(ECHO.format("raw, scale=2", "[raw, scale]"))
        self.assertEqual(script.bind(request("x"))(), ["x", 2])

    def test_the_body_may_be_keyword_only(self) -> None:
        script = self.load(ECHO.format("*, raw", "raw"))
        self.assertEqual(script.bind(request("x"))(), "x")

    def test_request_headers_are_titled_and_joined(self) -> None:
        script = self.load(ECHO.format("request_headers, raw", "[raw, request_headers]"))
        raw = ["test-header", "1", "TraceId", "t", "TEST-HEADER", "2", "content-type", "text/plain"]
        raw += ["content-encoding", "gzip", "content-length", "99"]
        raw_data, headers = script.bind(request("body", raw_headers=raw))()
        self.assertEqual(raw_data, "body")
        self.assertEqual(
            headers,
            {
                "Test-Header": "1,2",
                "Traceid": "t",
                "Content-Type": "text/plain",
                "Content-Length": "4",
            },
        )


if __name__ == "__main__":
    unittest.main()
