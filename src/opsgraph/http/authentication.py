"""Who a request comes from."""

import base64
import re
from functools import lru_cache
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.kernel.refusals import Unauthenticated
from opsgraph.kernel.text import shown
from opsgraph.settings import Settings

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:]+))(?::\d{0,5})?", re.ASCII | re.IGNORECASE)
"""A Host header: an IPv6 address in brackets, or a name or another address, and a port."""


class Authenticator:
    """Finds the actor of a request.

    Keys are not issued yet: under `auto`, whoever reaches a server bound to loopback under a name of its own machine
    acts as `local` with every role; under `required`, nobody is known.
    """

    def __init__(self, settings: Settings) -> None:
        self._required = settings.auth == "required"

    async def __call__(self, request: HTTPConnection) -> Actor:
        """The actor of this request.

        Raises:
            Unauthenticated: authentication is required, a key was sent that nobody issued, or the server was called by
                a name that could be anybody's.
        """
        if presented_key(request.headers) is not None:
            raise Unauthenticated("the key in Authorization is not known here")
        if self._required:
            raise Unauthenticated("this server asks for a key: send Authorization: Bearer <key>")
        _refuse_foreign_name(request.headers.get("host", ""))
        return LOCAL


def presented_key(headers: Headers) -> str | None:
    """The key that a request presents: a bearer token, or the password of basic authentication.

    Alertmanager, Prometheus and Grafana can be told to send either. None without the header; "" if it holds no key.
    """
    given = headers.get("authorization")
    if not given:
        return None
    scheme, _, value = given.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return _password(value.strip()) if scheme.lower() == "basic" else ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


@lru_cache(maxsize=256)  # asked for each request, mostly about the same few
def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is nothing but the machine itself."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _refuse_foreign_name(header: str) -> None:
    # The owner of a web site can let its name lead to 127.0.0.1: to a visitor's browser, requests from the site's pages
    # to a server there are then requests to the site itself. Only the name in the Host header gives them away.
    match = _HOST.fullmatch(header)
    if match is None or not is_loopback(match[1] or match[2]):
        raise Unauthenticated(
            f"without keys this server is for its own machine: ask it as localhost or 127.0.0.1, not as {shown(header)}"
        )
