def init(): pass


def run(request_headers): pass
