"""Sends requests made with MLServer's own types: mlserver_types.py <HTTP port> <model>"""

import json
import math
import sys
import urllib.error
import urllib.request

import numpy as np
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, RequestInput, RequestOutput

http_port, model = sys.argv[1], sys.argv[2]


def infer(request: dict) -> InferenceResponse:
    url = f"http://127.0.0.1:{http_port}/v2/models/{model}/infer"
    # As requests.post(url, json=...) does
    body = json.dumps(request).encode()
    call = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(call) as answer:
            return InferenceResponse.parse_raw(answer.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.code}: {error.read().decode()} to {body.decode()}") from error


def forms(request: InferenceRequest):
    """Every way of the documentation to a dictionary."""
    yield request.dict()
    yield request.model_dump()
    yield json.loads(request.json())
    yield json.loads(request.model_dump_json(exclude_none=True))


def echo_float32():
    x = np.array([[1.5, -2.0], [3.25, 4.0]], dtype=np.float32)
    plain = RequestInput(name="x", shape=[2, 2], datatype="FP32", data=x.flatten().tolist())
    typed = NumpyCodec.encode_input("x", x)
    for tensor in (plain, typed):
        for request in (
            InferenceRequest(inputs=[tensor]),
            InferenceRequest(id="mine", inputs=[tensor], outputs=[RequestOutput(name="y")]),
            InferenceRequest(inputs=[tensor], parameters=Parameters(content_type="np")),
        ):
            for form in forms(request):
                response = infer(form)
                assert response.id == request.id
                np.testing.assert_array_equal(NumpyCodec.decode_output(response.outputs[0]), x)
    whole = NumpyRequestCodec.encode_request(x)
    whole.inputs[0].name = "x"
    np.testing.assert_array_equal(NumpyCodec.decode_output(infer(whole.dict()).outputs[0]), x)
    gaps = infer(InferenceRequest(inputs=[RequestInput(name="x", shape=[1, 2], datatype="FP32", data=[math.nan, math.inf])]).dict())
    assert list(gaps.outputs[0].data) == ["NaN", "Infinity"], gaps


def columns():
    inputs = [
        NumpyCodec.encode_input("age", np.array([[31.5], [40.0]], dtype=np.float32)),
        StringCodec.encode_input("city", ["Köln", "Bonn"], use_bytes=False),
        NumpyCodec.encode_input("rooms", np.array([3, 4], dtype=np.int64)),
    ]
    # The model takes float32 [N,1], string [N,1] and int64 [N]
    inputs[2].shape = [2]
    for form in forms(InferenceRequest(inputs=inputs)):
        outputs = {output.name: list(output.data) for output in infer(form).outputs}
        assert outputs == {"age_out": [31.5, 40.0], "city_out": ["Köln", "Bonn"], "rooms_out": [3, 4]}, outputs


CASES = {"echo_float32": echo_float32, "columns": columns}

CASES[model]()
print(f"{model}: all forms are taken")
