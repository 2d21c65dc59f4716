"""What scripts with @rawhttp get."""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
import unittest
from typing import Any

from scoring_worker.answers import Answer
from scoring_worker.failures import Failure
from set_up import ScriptTest, request

RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
def init(): pass
@rawhttp
def run(request):
    return {}
"""
BOUNDARY = "----part"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts: tuple[str, bytes]) -> bytes:
    """A body of parts: heads and contents."""
    pieces = (f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts)
    return b"".join(pieces) + f"--{BOUNDARY}--\r\n".encode()


class RawRequest(ScriptTest):
    """An AMLRequest of the server."""

    def setUp(self) -> None:
        super().setUp()
        sys.path[:] = [each for each in sys.path if "site-packages" not in each]

    def of(self, body: bytes = b"", expression: str = "request", **members: Any) -> Any:
        """The value of an expression of the request."""
        self.forget()
        return self.load(RAW.format(expression)).bind(request(body, **members))()

    def failure(self, body: bytes, expression: str, **members: Any) -> Failure | Answer:
        """What a run that reads the request so is answered with."""
        self.forget()
        script = self.load(RAW.format(expression))
        try:
            script.bind(request(body, **members))()
        except Exception as raised:
            return script.failure_of(raised)
        raise AssertionError("run() has not raised")

    def forget(self) -> None:
        """Forgets the flag of an earlier script."""
        for name in [each for each in sys.modules if each.startswith("azureml")]:
            del sys.modules[name]

    def test_a_raw_script_is_told_to_the_host(self) -> None:
        self.assertTrue(self.load(RAW.format("1")).ready()["rawHttp"])
        self.forget()
        self.assertFalse(self.load("def init(): pass\ndef run(a): pass").ready()["rawHttp"])

    def test_it_has_method_url_and_query(self) -> None:
        got = self.of(method="GET", url="/score?a=1&a=2&b=%C3%A4&c", headers={"Host": "h:81"})
        self.assertEqual(got.method, "GET")
        self.assertEqual(got.path, "/score")
        self.assertEqual(got.full_path, "/score?a=1&a=2&b=%C3%A4&c")
        self.assertEqual(got.url, "http://h:81/score?a=1&a=2&b=%C3%A4&c")
        self.assertEqual(got.base_url, "http://h:81/score")
        self.assertEqual(got.url_root, "http://h:81/")
        self.assertEqual(got.host, "h:81")
        self.assertEqual(got.query_string, b"a=1&a=2&b=%C3%A4&c")
        self.assertEqual(got.args["a"], "1")
        self.assertEqual(got.args.getlist("a", type=int), [1, 2])
        self.assertEqual(got.args.get("a", type=int), 1)
        self.assertEqual(got.args.get("zz", 5), 5)
        self.assertEqual(got.args.get("b", 7, int), 7)
        self.assertEqual(dict(got.args), {"a": "1", "b": "ä", "c": ""})
        self.assertEqual(got.args.to_dict(flat=False), {"a": ["1", "2"], "b": ["ä"], "c": [""]})
        self.assertEqual(got.values.getlist("a"), ["1", "2"])
        self.assertFalse(got.is_secure)
        self.assertIsNone(got.remote_addr)
        self.assertIsNone(got.content_length)

    def test_a_path_without_a_query_ends_in_a_question_mark(self) -> None:
        self.assertEqual(self.of().full_path, "/score?")

    def test_headers_have_no_case(self) -> None:
        cookies = ["Cookie", "a=b", "cookie", 'c="d e"; broken']
        raw = ["X-A", "1", "x-a", "2", *cookies, "User-Agent", "test"]
        got = self.of(b"x", raw_headers=raw)
        self.assertEqual(got.headers["x-a"], "1,2")
        self.assertEqual(got.headers.get("X-A"), "1,2")
        self.assertIn("user-agent", got.headers)
        self.assertIsNone(got.headers.get("X-B"))
        self.assertEqual(dict(got.headers)["X-A"], "1,2")
        with self.assertRaises(KeyError):
            got.headers["x-b"]
        self.assertEqual(got.cookies["a"], "b")
        self.assertEqual(got.cookies["c"], "d e")
        self.assertEqual((str(got.user_agent), got.user_agent.string), ("test", "test"))
        self.assertIsNone(got.origin)
        with self.assertRaisesRegex(AttributeError, "AMLRequest has no access_route: with"):
            got.access_route  # noqa: B018
        self.assertEqual(got.content_length, 1)

    def test_what_the_client_accepts_is_read(self) -> None:
        got = self.of(headers={"Accept": "text/html;q=0.5, application/json, image/*;q=0.1"})
        accepted = got.accept_mimetypes
        self.assertEqual(accepted.best, "application/json")
        self.assertEqual(accepted.best_match(["image/png", "text/html"]), "text/html")
        self.assertEqual(accepted.best_match(["video/mp4"], "none"), "none")
        self.assertIn("image/png", accepted)
        self.assertNotIn("text/plain", accepted)
        self.assertIsNone(got.accept_languages.best)

    def test_credentials_are_read(self) -> None:
        basic = self.of(headers={"Authorization": "Basic dXNlcjpwYTpzcw=="}).authorization
        self.assertEqual((basic.type, basic.username, basic.password), ("basic", "user", "pa:ss"))
        bearer = self.of(headers={"Authorization": "Bearer token"}).authorization
        self.assertEqual((bearer.type, bearer.token), ("bearer", "token"))
        for header in ({}, {"Authorization": "Basic ?"}, {"Authorization": "x"}):
            self.assertIsNone(self.of(headers=header).authorization)

    def test_the_body_can_be_read_again_and_again(self) -> None:
        got = self.of(b"\xff\x00body", headers={"Content-Type": "image/png"})
        self.assertEqual(got.get_data(False), b"\xff\x00body")
        self.assertEqual(got.data, b"\xff\x00body")
        self.assertEqual(got.stream.read(), b"\xff\x00body")
        self.assertEqual(got.get_data(as_text=True), "\ufffd\x00body")
        self.assertEqual(got.content_type, "image/png")
        self.assertEqual(got.mimetype, "image/png")

    def test_json_is_read(self) -> None:
        kind = {"Content-Type": "application/json; Charset=UTF-8"}
        got = self.of(b'{"a":1}', headers=kind)
        self.assertTrue(got.is_json)
        self.assertEqual(got.json, {"a": 1})
        self.assertEqual(got.get_json(), {"a": 1})
        self.assertEqual(got.mimetype_params, {"charset": "UTF-8"})
        other = self.of(b"[1]", headers={"Content-Type": "text/plain"})
        self.assertIsNone(other.get_json(silent=True))
        self.assertEqual(other.get_json(force=True), [1])

    def test_a_body_that_is_no_json_is_the_clients_fault(self) -> None:
        reason = "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
        text = f'{{"message":"POST body could not be decoded as JSON: {reason}"}}'
        answer = self.failure(b"{bad", "request.json", headers={"Content-Type": "application/json"})
        self.assertEqual(answer, Answer(400, text.encode()))
        answer = self.failure(b"[1]", "request.json", headers={"Content-Type": "text/plain"})
        assert isinstance(answer, Answer)
        self.assertEqual(answer.status, 415)

    def test_a_missing_parameter_is_the_clients_fault(self) -> None:
        answer = self.failure(b"", "request.args['rows']")
        text = b'{"message":"A value is not provided for the \'rows\' parameter."}'
        self.assertEqual(answer, Answer(400, text))

    def test_url_encoded_forms_have_fields(self) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        got = self.of(b"a=1&a=2&b=%C3%A4", headers=kind)
        self.assertEqual(got.form.getlist("a"), ["1", "2"])
        self.assertEqual(got.form["b"], "ä")
        self.assertEqual(got.data, b"")
        self.assertEqual(got.get_data(), b"a=1&a=2&b=%C3%A4")
        self.assertFalse(got.files)

    def test_multipart_forms_have_fields_and_files_of_exact_bytes(self) -> None:
        content = bytes(range(256)) + b"\r\n--" + BOUNDARY.encode()[:-1] + b"\r\n\r\n\r"
        disposition = "Content-Disposition: form-data; "
        body = form(
            (f'{disposition}name="note"', "grün".encode()),
            (
                f'{disposition}name="image"; filename="bild ä.png"\r\nContent-Type: image/png',
                content,
            ),
            (f"{disposition}name=\"other\"; filename*=UTF-8''%C3%A4.txt", b""),
        )
        got = self.of(body, headers={"Content-Type": MULTIPART})
        self.assertEqual(got.form["note"], "grün")
        self.assertEqual(list(got.files), ["image", "other"])
        file = got.files["image"]
        self.assertEqual(file.filename, "bild ä.png")
        self.assertEqual(file.content_type, "image/png")
        self.assertEqual(file.read(3), b"\x00\x01\x02")
        file.seek(0)
        into = io.BytesIO()
        file.save(into)
        self.assertEqual(into.getvalue(), content)
        file.seek(0)
        path = self.folder / "saved"
        file.save(path)
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual(got.files["other"].filename, "ä.txt")

    def test_forms_that_cannot_be_read_are_the_clients_fault(self) -> None:
        whole = form(('Content-Disposition: form-data; name="a"', b"1"))
        cases = {
            b"": "no closing boundary",
            whole[:-6]: "no closing boundary",
            form(("", b"")): "has no",
            form(("Content-Type: text/plain", b"x")): "has no name",
        }
        for body, why in cases.items():
            with self.subTest(body):
                answer = self.failure(body, "request.form", headers={"Content-Type": MULTIPART})
                assert isinstance(answer, Answer)
                self.assertEqual(answer.status, 400)
                self.assertIn(why, answer.body.decode())
        answer = self.failure(
            whole, "request.files", headers={"Content-Type": "multipart/form-data"}
        )
        assert isinstance(answer, Answer)
        self.assertIn("names no boundary", answer.body.decode())

    def test_heads_of_parts_are_read_as_clients_write_them(self) -> None:
        disposition = 'Content-Disposition: form-data; name="image"; '
        cases = {
            f'{disposition}filename="a \\"q\\" b.png"': 'a "q" b.png',
            f'{disposition}filename="C:\\dir\\x.png"': r"C:\dir\x.png",
            f"{disposition}filename=\"x\"; filename*=UTF-8''%E2%82%AC.png": "€.png",
            f"{disposition}filename*=no-charset''%C3%A9": "é",
            f"{disposition}filename*=without-quotes": "without-quotes",
            f"{disposition}filename=plain.png": "plain.png",
            f'{disposition}filename="a;b.png"': "a;b.png",
            f'{disposition}filename="line\u2028.png"': "line\u2028.png",
            'content-disposition: form-data;\r\n name=image;\r\n\tfilename="f"': "f",
        }
        for head, filename in cases.items():
            with self.subTest(head):
                got = self.of(form((head, b"x")), headers={"Content-Type": MULTIPART})
                self.assertEqual(got.files["image"].filename, filename)

    def test_lines_of_forms_may_end_without_a_carriage_return(self) -> None:
        head = 'Content-Disposition: form-data; name="image"; filename="a"'
        body = form((head, b"1\n2"), (head, b"")).replace(b"\r\n", b"\n")
        got = self.of(body, headers={"Content-Type": MULTIPART})
        self.assertEqual([each.read() for each in got.files.getlist("image")], [b"1\n2", b""])

    def test_heads_of_parts_take_time_in_proportion_to_their_length(self) -> None:
        head = 'Content-Disposition: form-data; name="a"'
        body = form(
            *[(head + fill * (15_000 // len(fill)), b"") for fill in (";", ';"', "\r\na:b")] * 60
        )
        begin = time.process_time()
        self.of(body, "request.form", headers={"Content-Type": MULTIPART})
        # More than 10 s where it grows with the square.
        self.assertLess(time.process_time() - begin, 3)

    def test_forms_of_too_many_parts_are_refused(self) -> None:
        body = form(*[('Content-Disposition: form-data; name="a"', b"")] * 1001)
        answer = self.failure(body, "request.form", headers={"Content-Type": MULTIPART})
        assert isinstance(answer, Answer)
        self.assertEqual(answer.status, 413)

    def test_a_header_with_an_underscore_takes_no_place_of_another(self) -> None:
        headers = {
            "Content-Type": "text/plain",
            "Content_Type": "text/html",
            "Content_Length": "0",
            "X-A": "1",
            "X_A": "2",
        }
        got = self.of(b"body", headers=headers)
        self.assertEqual((got.content_type, got.content_length), ("text/plain", 4))
        self.assertEqual(got.headers["X-A"], "1")

    def test_run_may_take_the_headers_too(self) -> None:
        script = self.load(
            "from azureml_inference_server_http.api.aml_request import rawhttp\n"
            "def init(): pass\n@rawhttp\n"
            "def run(request, request_headers): return [request.method, request_headers]\n"
        )
        method, headers = script.bind(request(method="OPTIONS", headers={"x-a": "1"}))()
        self.assertEqual((method, headers["X-A"]), ("OPTIONS", "1"))


class InstalledRequest(ScriptTest):
    """The request of an environment that has Azure's server and Flask."""

    def setUp(self) -> None:
        super().setUp()
        try:
            self.flask = importlib.import_module("flask")
            module = importlib.import_module("azureml_inference_server_http.api.aml_request")
        except ImportError:
            self.skipTest("azureml-inference-server-http is not installed")
        if "site-packages" not in (module.__file__ or ""):
            self.skipTest("azureml-inference-server-http is not installed")

    def test_scripts_get_flasks_request(self) -> None:
        for name in (
            "azureml.contrib.services.aml_request",
            "azureml_inference_server_http.api.aml_request",
        ):
            with self.subTest(name):
                source = RAW.replace("azureml.contrib.services.aml_request", name)
                script = self.load(source.format("request"))
                of = request(
                    '{"a":1}', url="/score?b=2", headers={"Content-Type": "application/json"}
                )
                got = script.bind(of)()
                self.assertIsInstance(got, self.flask.Request)
                self.assertEqual((got.json, got.args["b"]), ({"a": 1}, "2"))
                self.assertEqual(got.headers["Content-Length"], "7")

    def test_scripts_have_a_context_of_flask(self) -> None:
        script = self.load(
            "import flask\ndef init(): pass\n"
            "def run(data): return flask.jsonify(data, flask.request.args)\n"
        )
        response = script.bind(request("x", url="/score?a=1"))()
        self.assertEqual(json.loads(script.answer_of(response).body), ["x", {"a": "1"}])

    def test_the_sample_has_a_context_of_flask(self) -> None:
        script = self.load(
            "import flask\nsample = 'x'\ndef init(): pass\n"
            "def run(data): return flask.jsonify(data, flask.request.method)\n"
        )
        response = script.bind_sample(request())()
        self.assertEqual(json.loads(script.answer_of(response).body), ["x", "POST"])

    def test_abort_is_answered(self) -> None:
        source = RAW.replace("return {}", "import flask; flask.abort({})")
        for given, status in (("404", 404), ("flask.Response('no', 418)", 418)):
            script = self.load(source.format(given))
            try:
                script.bind(request())()
            except Exception as raised:
                answer = script.failure_of(raised)
                assert isinstance(answer, Answer)
                self.assertEqual(answer.status, status)


if __name__ == "__main__":
    unittest.main()
