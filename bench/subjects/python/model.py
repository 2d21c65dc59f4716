"""The model behind every Python peer, as the peers' documents have it: one session, one thread where processes share the cores."""

import os

import numpy
import onnxruntime

OUTPUT = os.environ["BENCH_OUTPUT"]
TYPES = {"tensor(float)": numpy.float32, "tensor(int64)": numpy.int64}


class Model:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["BENCH_THREADS"])
        self.session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
        self.types = {port.name: TYPES[port.type] for port in self.session.get_inputs()}

    def arrays(self, inputs):
        return {name: numpy.asarray(rows, dtype=self.types[name]) for name, rows in inputs.items()}

    def run(self, arrays):
        return self.session.run([OUTPUT], arrays)[0]
