def init(): pass


def run(): pass
