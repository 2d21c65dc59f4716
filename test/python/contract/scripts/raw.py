"""Raw mode: the request as it is."""

import base64

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

OF_THE_CONNECTION = ("Host", "Connection", "Content-Length", "Transfer-Encoding")


def files_of(request):
    return {
        name: [[each.filename, each.content_type, each.name, each.read().decode()] for each in request.files.getlist(name)]
        for name in request.files
    }


def lists_of(pairs):
    return {name: pairs.getlist(name) for name in pairs}


SHOWN = {
    "method": lambda request: request.method,
    "path": lambda request: [request.path, request.full_path, request.query_string.decode()],
    "root": lambda request: request.script_root,
    "url": lambda request: [each.split("/", 3)[-1] for each in (request.url, request.base_url, request.url_root, request.host_url)],
    "scheme": lambda request: [request.scheme, request.is_secure, request.host.split(":")[0]],
    "address": lambda request: request.remote_addr,
    "args": lambda request: [request.args.to_dict(), lists_of(request.args), request.args.get("n", 7, type=int)],
    "headers": lambda request: {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION},
    "header": lambda request: [request.headers.get("x-mine"), request.headers.get("no", "none"), "X-MINE" in request.headers],
    "type": lambda request: [request.content_type, request.mimetype, request.mimetype_params, request.content_length, request.is_json],
    "data": lambda request: [type(request.data).__name__, base64.b64encode(request.data).decode()],
    "get_data": lambda request: [request.get_data().decode(), request.get_data(as_text=True), request.get_data(False).decode()],
    "data, then json": lambda request: [len(request.data), request.get_json()],
    "stream": lambda request: request.stream.read().decode(),
    "json": lambda request: request.json,
    "get_json": lambda request: request.get_json(silent=True),
    "get_json, forced": lambda request: request.get_json(force=True),
    "form": lambda request: [request.form.to_dict(), lists_of(request.form), request.data.decode()],
    "files": lambda request: [files_of(request), request.form.to_dict()],
    "values": lambda request: request.values.to_dict(),
    "cookies": lambda request: dict(request.cookies),
    "accept": lambda request: [request.accept_mimetypes.best, request.accept_languages.best],
    "authorization": lambda request: None if request.authorization is None else request.authorization.type,
    "agent": lambda request: [str(request.user_agent), request.user_agent.string, request.origin],
    "truth": lambda request: [bool(request.args), bool(request.files), bool(request.form)],
    "environ": lambda request: [request.environ.get(name) for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_X_MINE")],
}


def init():
    assert AMLRequest is not None


@rawhttp
def run(request):
    what = request.args.get("show")
    if what is None:
        return AMLResponse(f"{request.method} of {len(request.get_data())} bytes", 200)
    return {"shown": SHOWN[what](request)}
