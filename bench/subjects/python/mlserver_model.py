from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

from model import OUTPUT, Model


class OnnxModel(MLModel):
    async def load(self):
        self.model = Model()
        return True

    async def predict(self, payload):
        arrays = self.model.arrays({tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(OUTPUT, self.model.run(arrays))])
