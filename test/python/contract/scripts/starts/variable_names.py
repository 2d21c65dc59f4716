def init(): pass


def run(data, **more): pass
