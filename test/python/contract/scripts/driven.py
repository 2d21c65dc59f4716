"""The script behind a driver module."""

by = "nobody"


def init():
    global by
    by = "itself"


def run(raw_data):
    return [raw_data, by]
