"""Raw requests: bytes by POST, the URL by GET, as the documents of binary data have it."""

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    print("This is init()")


@rawhttp
def run(request):
    print("Request: [{0}]".format(request))
    if request.method == "GET":
        return AMLResponse(str.encode(request.full_path), 200)
    if request.method == "POST":
        return AMLResponse(request.get_data(False), 200)
    return AMLResponse("bad request", 500)


assert AMLRequest is not None
