def init(): pass


def run(data, other): return data
