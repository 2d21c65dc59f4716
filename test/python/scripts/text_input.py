"""Answers the text that it gets."""


def init():
    """Loads nothing."""


def run(raw_data, request_headers):
    """Answers the input and a header."""
    return [raw_data, type(raw_data).__name__, request_headers.get("X-Kind")]
