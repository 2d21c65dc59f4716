"""Answers what it gets of HTTP itself."""

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    """Loads nothing."""


@rawhttp
def run(request: AMLRequest):
    """Answers the parts of the request."""
    if request.method == "OPTIONS":
        return AMLResponse("", 204, {"x-allow": "anything"})
    if request.method == "HEAD":
        return AMLResponse("", 200, {"x-head": "yes"})
    if request.files:
        return {name: [file.filename, len(file.read())] for name, file in request.files.items()}
    return {
        "full_path": request.full_path,
        "args": request.args.to_dict(flat=False),
        "body": len(request.get_data()),
        "length": request.content_length,
        "json": request.get_json(silent=True),
        "kind": request.headers.get("X-Kind"),
    }
