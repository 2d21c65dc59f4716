"""Raw access to HTTP: `@rawhttp` above run(), which then gets an AMLRequest.

The members are those of Flask's Request that scripts use, by Flask's documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

from ..request.accept import Accept
from ..request.authorization import Authorization
from ..request.body import Body
from ..request.cookies import cookies_of
from ..request.headers import Headers
from ..request.multi_dict import MultiDict, of_query
from ..request.typed import Typed

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Read by the server once the script is imported.
_rawHttpRequested = False  # noqa: N816 -- the name that Azure's server has


def rawhttp(func: _Function) -> _Function:
    """Makes run() get the request itself, for GET, POST, OPTIONS and HEAD."""
    global _rawHttpRequested
    _rawHttpRequested = True
    return func


class UserAgent(str):
    """The header `User-Agent`."""

    @property
    def string(self) -> str:
        """The header, as Flask names it."""
        return str(self)


class AMLRequest(Typed):
    """A request on /score. Its body has been received, and inflated."""

    # Members of Flask that need a route.
    view_args: dict[str, Any] | None = None
    endpoint: str | None = None
    blueprint: str | None = None
    # Where an application is mounted.
    script_root = root_path = ""

    def __init__(self, environ: dict[str, Any]) -> None:
        """Takes an environ of WSGI (PEP 3333)."""
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.scheme: str = environ["wsgi.url_scheme"]
        self.query_string: bytes = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
        self.headers = Headers.of_environ(environ)
        self._body = Body(environ["wsgi.input"], self.headers)
        self._args: MultiDict | None = None

    def __repr__(self) -> str:
        return f"<AMLRequest {self.url!r} [{self.method}]>"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"AMLRequest has no {name}: with azureml-inference-server-http in requirements.txt, "
            "run() gets Flask's request"
        )

    @property
    def path(self) -> str:
        """Path without the query, decoded."""
        text: str = self.environ.get("PATH_INFO", "/")
        return text.encode("latin-1").decode("utf-8", "replace")

    @property
    def full_path(self) -> str:
        """Path and query; it ends in `?` without a query."""
        return f"{self.path}?{self.query_string.decode('latin-1')}"

    @property
    def host(self) -> str:
        """Host and port that the client has named."""
        name: str = self.environ.get("SERVER_NAME", "localhost")
        return self.headers.get("Host", name)

    @property
    def url_root(self) -> str:
        """Scheme and host, with a slash."""
        return f"{self.scheme}://{self.host}/"

    root_url = host_url = url_root

    @property
    def base_url(self) -> str:
        """URL without the query."""
        return self.url_root + quote(self.path.lstrip("/"), safe="/%:@!$&'()*+,;=~")

    @property
    def url(self) -> str:
        """URL with the query."""
        query = self.query_string.decode("latin-1")
        return f"{self.base_url}?{query}" if query else self.base_url

    @property
    def args(self) -> MultiDict:
        """Parameters of the query."""
        if self._args is None:
            text = self.environ.get("QUERY_STRING", "")
            self._args = of_query(text)
        return self._args

    @property
    def form(self) -> MultiDict:
        """Fields of a form. Raises RequestError for a form that cannot be read."""
        return self._body.form

    @property
    def files(self) -> MultiDict:
        """Files of a form, by the names of their fields: FileStorage. Raises as `form`."""
        return self._body.files

    @property
    def values(self) -> MultiDict:
        """Parameters of the query, then fields of the form."""
        form = [] if self.method == "GET" else self.form.items(multi=True)
        return MultiDict([*self.args.items(multi=True), *form])

    @property
    def cookies(self) -> MultiDict:
        """Cookies of the client."""
        return MultiDict(cookies_of(self.headers.get("Cookie", "")))

    @property
    def data(self) -> bytes:
        """The body; empty for a form, as in Flask."""
        return b"" if self._body.is_form else self._body.content

    @property
    def stream(self) -> Any:
        """The body as a file."""
        return self.environ["wsgi.input"]

    def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> Any:
        """The body: bytes, or a text with `as_text`."""
        content = self.data if parse_form_data else self._body.content
        return content.decode("utf-8", "replace") if as_text else content

    @property
    def json(self) -> Any:
        """The value of a body of JSON. Raises RequestError for another body."""
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """As `json`. `force`: whatever the content type. `silent`: None for another body."""
        return self._body.json(force, silent)

    @property
    def is_json(self) -> bool:
        """True for a content type of JSON."""
        return self._body.is_json

    @property
    def content_length(self) -> int | None:
        """Bytes of the body; None: it has none."""
        length = self.headers.get("Content-Length")
        return None if length is None else int(length)

    @property
    def remote_addr(self) -> str | None:
        """Address of the client, which only a proxy's headers tell here."""
        address: str | None = self.environ.get("REMOTE_ADDR")
        return address

    @property
    def is_secure(self) -> bool:
        """True for https."""
        return self.scheme == "https"

    @property
    def accept_mimetypes(self) -> Accept:
        """Media types that the client accepts."""
        return Accept(self.headers.get("Accept", ""))

    @property
    def accept_languages(self) -> Accept:
        """Languages that the client accepts."""
        return Accept(self.headers.get("Accept-Language", ""))

    @property
    def accept_encodings(self) -> Accept:
        """Encodings that the client accepts."""
        return Accept(self.headers.get("Accept-Encoding", ""))

    @property
    def authorization(self) -> Authorization | None:
        """Credentials; None: there are none, or the server has checked and removed them."""
        return Authorization.of_header(self.headers.get("Authorization"))

    @property
    def user_agent(self) -> UserAgent:
        """The header; empty: it is absent."""
        return UserAgent(self.headers.get("User-Agent", ""))

    @property
    def origin(self) -> str | None:
        """The header; None: it is absent."""
        return self.headers.get("Origin")

    @property
    def referrer(self) -> str | None:
        """The header; None: it is absent."""
        return self.headers.get("Referer")
