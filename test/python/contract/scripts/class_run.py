"""run and init that are no functions of the module."""

import functools


class Model:
    def start(self):
        self.ready = True

    def predict(self, data, extra=1):
        return [data, extra, self.ready]


model = Model()
init = model.start
run = functools.partial(model.predict, extra=2)
