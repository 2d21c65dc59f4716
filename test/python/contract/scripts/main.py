"""The script that is taken where none is named."""


def init():
    pass


def run(data):
    return "main"
