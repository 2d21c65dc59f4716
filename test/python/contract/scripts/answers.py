"""String mode with answers of HTTP."""

import http
import io
import json

from azureml_inference_server_http.api.aml_response import AMLResponse


def words():
    yield "one "
    yield b"two "
    yield "drei é"


ANSWERS = {
    "None": lambda: AMLResponse(None, 202),
    "JSON": lambda: AMLResponse({"a": [1, None, "é"]}, 201, json_str=True),
    "JSON of a text": lambda: AMLResponse("text", 200, json_str=True),
    "text": lambda: AMLResponse("plain é", 200),
    "an empty text": lambda: AMLResponse("", 204),
    "bytes": lambda: AMLResponse(bytes(range(256)), 200, {"Content-Type": "image/jpeg"}),
    "text with a type": lambda: AMLResponse("a,b", 200, {"Content-Type": "text/csv"}),
    "JSON text with a type": lambda: AMLResponse(json.dumps({"a": 1}), 200, {"Content-Type": "application/json"}),
    "a type in lower case": lambda: AMLResponse("a,b", 200, {"content-type": "text/csv"}),
    "JSON with another type": lambda: AMLResponse({"a": 1}, 200, {"Content-Type": "text/plain"}, json_str=True),
    "headers": lambda: AMLResponse("x", 200, {"X-Mine": "1", "Cache-Control": "max-age=5"}),
    "a header with commas": lambda: AMLResponse("x", 200, {"X-Mine": "a, b,c"}),
    "a date in a header": lambda: AMLResponse("x", 200, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "a cookie": lambda: AMLResponse("x", 200, {"Set-Cookie": "a=b; Path=/"}),
    "an id of its own": lambda: AMLResponse("x", 200, {"x-request-id": "mine"}),
    "failed": lambda: AMLResponse("x", 200, run_function_failed=True),
    "400": lambda: AMLResponse({"message": "no"}, 400, json_str=True),
    "404": lambda: AMLResponse("not here", 404),
    "422": lambda: AMLResponse("no", 422, {"X-Reason": "because"}),
    "429": lambda: AMLResponse("slow", 429, {"Retry-After": "3"}),
    "500": lambda: AMLResponse("broken", 500),
    "503": lambda: AMLResponse({"message": "later"}, 503, json_str=True),
    "599": lambda: AMLResponse("odd", 599),
    "302": lambda: AMLResponse("", 302, {"Location": "/elsewhere"}),
    "304": lambda: AMLResponse("", 304),
    "a status as text": lambda: AMLResponse("x", "201 MADE"),
    "a generator": lambda: AMLResponse(words(), 200),
    "a generator with a type": lambda: AMLResponse(words(), 200, {"Content-Type": "text/event-stream"}),
    "an empty generator": lambda: AMLResponse(iter(()), 200),
    "a list of texts": lambda: AMLResponse(["a", "b"], 200),
    "what JSON lacks": lambda: AMLResponse({1, 2}, 200, json_str=True),
    "a tuple of texts": lambda: AMLResponse(("a", "b"), 200),
    "a file": lambda: AMLResponse(io.BytesIO(b"one\ntwo"), 200),
    "a named status": lambda: AMLResponse("x", http.HTTPStatus.CREATED),
    "206": lambda: AMLResponse("x", 206),
    "an empty header": lambda: AMLResponse("x", 200, {"X-Mine": ""}),
    "a header beyond ASCII": lambda: AMLResponse("x", 200, {"X-Mine": "\u00e9"}),
    "a header of 60,000 characters": lambda: AMLResponse("x", 200, {"X-Mine": "a" * 60_000}),
    "a content encoding": lambda: AMLResponse("x", 200, {"Content-Encoding": "identity"}),
    "by position": lambda: AMLResponse("x", 400, {}, False, True),
    "by name": lambda: AMLResponse(message="x", status_code=201, response_headers={"X-Mine": "1"}),
    "no number as a status": lambda: AMLResponse("x", "abc"),
    "a header with a line end": lambda: AMLResponse("x", 200, {"X-Mine": "a\r\nInjected: 1"}),
    "NaN": lambda: AMLResponse({"a": float("nan")}, 200, json_str=True),
    "a number": lambda: AMLResponse(7, 200),
    "a dictionary without json_str": lambda: AMLResponse({"a": 1}, 200),
}


def changed():
    answer = AMLResponse("x", 200)
    answer.headers["X-Later"] = "set"
    answer.headers.add("X-Later", "added")
    answer.status_code = 203
    return answer


def typed():
    answer = AMLResponse("a;b", 200)
    answer.content_type = "text/csv; charset=latin-1"
    return answer


def cookie():
    answer = AMLResponse("x", 200)
    answer.set_cookie("name", "value")
    return answer


ANSWERS["changed later"] = changed
ANSWERS["a type that is set later"] = typed
ANSWERS["a cookie that is set later"] = cookie


def init():
    pass


def run(what):
    return ANSWERS[what]()
