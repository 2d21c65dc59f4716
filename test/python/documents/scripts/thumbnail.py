"""Raw requests and raw answers: an image comes, a smaller one goes."""

import io

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse
from PIL import Image


def init():
    pass


@rawhttp
def run(req: AMLRequest):
    images = req.files.getlist("file")
    if not images:
        return AMLResponse("No file uploaded", status_code=422)
    output = io.BytesIO()
    Image.open(images[0].stream).resize((128, 128)).save(output, format="JPEG")
    answer = AMLResponse(message=output.getvalue(), status_code=200)
    answer.mimetype = "image/jpg"
    return answer
