import no_such_module_of_mine
def init(): pass
def run(data): return data
