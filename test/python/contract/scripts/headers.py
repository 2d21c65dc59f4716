"""String mode with request_headers and a parameter that has a default."""

OF_THE_CONNECTION = ("Host", "Connection", "Content-Length", "Transfer-Encoding")


def init():
    pass


def run(data, request_headers, more="a default"):
    given = {name: value for name, value in request_headers.items() if name not in OF_THE_CONNECTION}
    return {"type": type(request_headers).__name__, "data": data, "more": more, "headers": given}
