"""String mode with answers of Flask, which the peer brings."""

import flask
import werkzeug.exceptions


def init():
    pass


def later():
    yield "a"
    yield "b"


ANSWERS = {
    "a response": lambda: flask.Response("text", 201, {"X-Mine": "1"}),
    "a failed response": lambda: flask.Response("text", 503),
    "a stream": lambda: flask.Response(later(), mimetype="text/plain"),
    "bytes": lambda: flask.Response(b"\x00\xff", content_type="image/png"),
    "several headers": lambda: flask.Response("x", headers=[("X-Mine", "1"), ("X-Mine", "2")]),
    "a redirect": lambda: flask.redirect("/elsewhere"),
    "an exception of HTTP": lambda: werkzeug.exceptions.NotFound("nothing"),
}


def run(what):
    if what == "abort":
        flask.abort(404)
    return ANSWERS[what]()
