"""A run() that is a generator."""


def init():
    pass


def run(data):
    yield data
    yield "more"
