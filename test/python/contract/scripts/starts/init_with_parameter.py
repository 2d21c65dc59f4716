def init(data): pass


def run(data): return data
