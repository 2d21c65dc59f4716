"""A request as the environ of WSGI (PEP 3333), of which scripts with @rawhttp get a Request."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from .headers import header_dict
from .messages import Request

METADATA = "scoring_server.metadata"
"""Key of what the trigger of an Azure function says of itself."""

_WITHOUT_PREFIX = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


def environ_of(request: Request) -> dict[str, Any]:
    """The environ of a request. The client's address is not known here."""
    path, _, query = request.url.partition("?")
    headers = header_dict(request)
    host, _, port = headers.get("Host", "localhost").partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REQUEST_URI": request.url,
        "RAW_URI": request.url,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if request.metadata is not None:
        environ[METADATA] = request.metadata
    for name, value in headers.items():
        if "_" in name:
            # It would take the place of the header with `-`, as gunicorn knows, too.
            continue
        key = name.upper().replace("-", "_")
        environ[key if key in _WITHOUT_PREFIX else f"HTTP_{key}"] = value
    return environ
