import os

import bentoml
import numpy

from model import Model

port = {"host": "127.0.0.1", "port": int(os.environ["BENCH_PORT"])}


@bentoml.service(workers=2, http=port, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Scorer:
    def __init__(self):
        self.model = Model()
        self.name = self.model.session.get_inputs()[0].name

    @bentoml.api(batchable=True, max_batch_size=32, max_latency_ms=1000)
    async def score(self, rows: numpy.ndarray) -> numpy.ndarray:
        return self.model.run(self.model.arrays({self.name: rows}))
