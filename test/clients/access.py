"""One inference with tritonclient: access.py <http|grpc> <address> <options>. Prints `answered`, or the status of the refusal."""

import json
import sys

import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from geventhttpclient.response import HTTPConnectionClosed
from tritonclient.utils import InferenceServerException

protocol, address, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
ca, certificate, key = options.get("ca"), options.get("certificate"), options.get("privateKey")
data = np.array([[1.5, -2.0]], dtype=np.float32)


def http_client():
    if ca is None:
        return over_http.InferenceServerClient(address)
    files = {"ca_certs": ca, **({"certfile": certificate, "keyfile": key} if certificate else {})}
    return over_http.InferenceServerClient(address, ssl=True, ssl_options=files)


def grpc_client():
    if ca is None:
        return over_grpc.InferenceServerClient(address)
    return over_grpc.InferenceServerClient(address, ssl=True, root_certificates=ca, private_key=key, certificate_chain=certificate)


module, client = (over_http, http_client()) if protocol == "http" else (over_grpc, grpc_client())
tensor = module.InferInput("x", [1, 2], "FP32")
tensor.set_data_from_numpy(data)
try:
    result = client.infer("tensors", [tensor], headers=options.get("headers"))
    np.testing.assert_array_equal(result.as_numpy("doubled"), data * 2)
    print("answered")
except InferenceServerException as error:
    print(error.status())
except (OSError, HTTPConnectionClosed) as error:
    print(f"no connection: {type(error).__name__}")
