"""Failures by their code in the table of server/errors.ts."""

UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type"


class Failure(Exception):
    """A failure that the host answers or logs.

    `message` reaches the client where the table has no fixed text for the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def client_gone() -> Failure:
    """The end of a run whose answer has no reader any more."""
    return Failure("client_gone", "Nobody waits for the answer any more.")
