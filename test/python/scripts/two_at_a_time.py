"""Says how many runs it takes at a time, and has a sample."""

concurrency = 2
sample = "the sample"


def init():
    pass


def run(raw_data):
    return raw_data
