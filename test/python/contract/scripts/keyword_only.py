"""A run() whose parameter is keyword-only, with a name of its own."""


def init():
    pass


def run(*, payload):
    return payload
