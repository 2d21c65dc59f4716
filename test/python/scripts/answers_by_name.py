"""Answers what the body names."""

import datetime
import json
import math

from azureml.contrib.services.aml_response import AMLResponse
from scoring_server import ScoringError

ANSWERS = {
    "none": None,
    "nan": [math.nan, 1.5],
    "encoded": '{"a":1}',
    "date": {"at": [datetime.datetime(2020, 1, 2)]},
    "teapot": AMLResponse({"tea": "ä"}, 418, {"x-kind": "1, 2"}, json_str=True),
    "failed": AMLResponse("later", 503),
    "marked": AMLResponse(None, 200, run_function_failed=True),
    "cookies": AMLResponse(
        b"\xff",
        200,
        {
            "Set-Cookie": "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT, b=2",
            "Content-Type": "image/png",
        },
    ),
}


def init():
    """Loads nothing."""


def run(raw_data):
    """Answers or raises."""
    if raw_data == "refuse":
        raise ScoringError(422, "age must be positive")
    if raw_data == "fail":
        return json.loads("{secret input")
    return ANSWERS[raw_data]
