"""ONNX Runtime from AZUREML_MODEL_DIR."""

import json
import os
import time

import numpy as np
import onnxruntime


def init():
    global session, input_name, output_name
    path = os.path.join(os.getenv("AZUREML_MODEL_DIR"), "model.onnx")
    session = onnxruntime.InferenceSession(path, None)
    input_name = session.get_inputs()[0].name
    output_name = session.get_outputs()[0].name


def run(input_data):
    try:
        data = np.array(json.loads(input_data)["data"]).astype("float32")
        start = time.time()
        result = session.run([output_name], {input_name: data})
        return {"result": np.array(result).tolist(), "time_in_sec": time.time() - start}
    except Exception as failed:
        return {"error": str(failed)}
