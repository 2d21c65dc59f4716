"""Streams a line for each item."""

import json
import logging

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    print("Init complete")


def lines(items):
    for item in items:
        yield "item: " + str(item) + "\n\n"


@rawhttp
def run(request: AMLRequest):
    logging.info("request received")
    return AMLResponse(lines(json.loads(request.data)["items"]), 200)
