"""Speaks to a server with the official Python clients: open_inference.py <HTTP port> <gRPC port> <model>"""

import sys

import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.utils import InferenceServerException

http_port, grpc_port, model = sys.argv[1], sys.argv[2], sys.argv[3]
http = over_http.InferenceServerClient(f"127.0.0.1:{http_port}")
grpc = over_grpc.InferenceServerClient(f"127.0.0.1:{grpc_port}")

DATATYPES = {"float32": "FP32", "float16": "FP16", "int64": "INT64", "object": "BYTES", "bool": "BOOL"}


def ways(inputs, outputs=None, **more):
    """The same inference in every form that the clients have: JSON and binary, both ways, and gRPC."""
    for given_binary in (False, True):
        for wanted_binary in (False, True):
            tensors = []
            for name, array in inputs.items():
                tensor = over_http.InferInput(name, list(array.shape), DATATYPES[str(array.dtype)])
                # The client refuses FP16 as JSON
                tensor.set_data_from_numpy(array, binary_data=given_binary or array.dtype == np.float16)
                tensors.append(tensor)
            wanted = [over_http.InferRequestedOutput(name, binary_data=wanted_binary) for name in outputs or []]
            yield http.infer(model, tensors, outputs=wanted or None, **more)
    tensors = []
    for name, array in inputs.items():
        tensor = over_grpc.InferInput(name, list(array.shape), DATATYPES[str(array.dtype)])
        tensor.set_data_from_numpy(array)
        tensors.append(tensor)
    wanted = [over_grpc.InferRequestedOutput(name) for name in outputs or []]
    yield grpc.infer(model, tensors, outputs=wanted or None, **more)


def fails(call, text, code=None):
    try:
        call()
    except InferenceServerException as error:
        assert text in error.message(), error
        assert code is None or code in str(error.status()), error.status()
        return
    raise AssertionError(f"expected an error with {text!r}")


def health():
    for client in (http, grpc):
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready(model)
        assert client.is_model_ready(model, "1")
    assert not http.is_model_ready("none")
    fails(lambda: grpc.is_model_ready("none"), "no such model", "NOT_FOUND")


def metadata():
    server = http.get_server_metadata()
    assert "binary_tensor_data" in server["extensions"]
    assert grpc.get_server_metadata().name == server["name"]
    told = http.get_model_metadata(model)
    same = grpc.get_model_metadata(model, as_json=True)
    assert told["name"] == model == same["name"]
    assert told["platform"] == same["platform"]
    for port in ("inputs", "outputs"):
        over_rest = [(each["name"], each["datatype"], each["shape"]) for each in told[port]]
        assert over_rest == [(each["name"], each["datatype"], [int(size) for size in each["shape"]]) for each in same.get(port, [])]
    fails(lambda: http.get_model_metadata("none"), "no such model")
    fails(lambda: grpc.get_model_metadata(model, "7"), "no version", "NOT_FOUND")
    return told


def multi():
    assert metadata()["inputs"][1] == {"name": "ids", "datatype": "INT64", "shape": [-1, 3]}
    x = np.array([[1.5, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=np.float32)
    ids = np.array([[0, 0, 9], [2, 2, 2]], dtype=np.int64)
    for result in ways({"x": x, "ids": ids}, ["sum", "gt", "mean"]):
        np.testing.assert_array_equal(result.as_numpy("sum"), x + ids)
        np.testing.assert_array_equal(result.as_numpy("gt"), x > ids)
        assert result.as_numpy("gt").dtype == np.bool_
        np.testing.assert_allclose(result.as_numpy("mean"), x.mean(axis=1), rtol=1e-6)
    for result in ways({"x": x, "ids": ids}, ["mean"], request_id="mine", model_version="1"):
        response = result.get_response()
        told = response if isinstance(response, dict) else {"id": response.id, "model_version": response.model_version}
        assert (told["id"], told["model_version"]) == ("mine", "1")
        assert result.as_numpy("sum") is None
    for result in ways({"x": x, "ids": ids}):
        assert result.as_numpy("sum").shape == (2, 3)
    errors = [
        (lambda: list(ways({"x": x})), "ids is missing"),
        (lambda: list(ways({"x": x, "ids": ids}, ["none"])), "no output none"),
        (lambda: list(ways({"x": x[:, :2], "ids": ids})), "input x: expected float32"),
    ]
    for call, text in errors:
        fails(call, text)
    tensor = over_grpc.InferInput("x", [2, 3], "FP32")
    tensor.set_data_from_numpy(x)
    fails(lambda: grpc.infer(model, [tensor]), "ids is missing", "INVALID_ARGUMENT")
    fails(lambda: grpc.infer("none", [tensor]), "no such model", "NOT_FOUND")


def echo(array):
    for result in ways({"x": array}, ["y"]):
        np.testing.assert_array_equal(result.as_numpy("y"), array)


def echo_string():
    words = np.array([["a", "Köln", ""], ["日本", "x" * 300, " "]], dtype=np.object_)
    for result in ways({"x": words}, ["y"]):
        answer = result.as_numpy("y")
        texts = [each.decode() if isinstance(each, bytes) else each for each in answer.flatten()]
        assert texts == list(words.flatten()), texts


def echo_float16():
    echo(np.array([[1.5, -2.0, 65504.0], [6e-8, 0.1, -0.0]], dtype=np.float16))


def echo_int64():
    echo(np.array([[2**63 - 1, -(2**63)], [2**53 + 1, 0]], dtype=np.int64))


def tensors():
    """The entry script: doubles x, and says what it got."""
    assert metadata()["inputs"] == []
    x = np.array([[1.5, -2.0]], dtype=np.float32)
    for result in ways({"x": x}, ["doubled", "about"]):
        np.testing.assert_array_equal(result.as_numpy("doubled"), x * 2)
        about = result.as_numpy("about").flatten()[0]
        assert (about.decode() if isinstance(about, bytes) else about) == "float32 [1,2]"
    refused = np.array([[-1.0]], dtype=np.float32)
    fails(lambda: list(ways({"x": refused, "refuse": refused})), "not today")


CASES = {"multi": multi, "echo_string": echo_string, "echo_float16": echo_float16, "echo_int64": echo_int64, "tensors": tensors}

health()
CASES[model]()
print(f"{model}: all ways agree")
