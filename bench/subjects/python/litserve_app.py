import os

import litserve
import numpy

from model import OUTPUT, Model


class Api(litserve.LitAPI):
    def setup(self, device):
        self.model = Model()

    def decode_request(self, request):
        return self.model.arrays(request["inputs"])

    def batch(self, requests):
        return {name: numpy.concatenate([request[name] for request in requests]) for name in requests[0]}

    def predict(self, arrays):
        return self.model.run(arrays)

    def unbatch(self, output):
        return list(output)

    def encode_response(self, row):
        return {"outputs": {OUTPUT: [row.tolist()]}}


if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=32, batch_timeout=0.002), accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
