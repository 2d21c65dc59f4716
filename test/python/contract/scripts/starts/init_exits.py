import sys


def init():
    sys.exit(5)


def run(data): return data
