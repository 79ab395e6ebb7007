"""Why a server cannot be asked, in words that tell a person what to look at: not in those of the HTTP client."""

import os
import string
from urllib.parse import urlsplit

import httpx

ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError)
"""What goes wrong on the way; the last where an address, a key or an answer cannot be read."""

_NEVER = frozenset(string.whitespace)
_GRAPHQL = "/graphql"
_FAILED = "Connect call failed"
"""What asyncio says in place of the system's reason, which its number tells."""


def base_of(url: str) -> str:
    """The address that paths are put behind; the one of the API itself, which ends in /graphql, is understood too."""
    return url.rstrip("/").removesuffix(_GRAPHQL).rstrip("/")


def is_address(url: str) -> bool:
    """Whether a text can be the address of a server."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not set(url) & _NEVER


def explained(url: str, error: Exception) -> str:
    """What to tell a person who asked a server at this address: what went wrong there, and what to do."""
    match error:
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return unusable(url)
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return f"no server can be reached at {url}: {_cause(error)}; see that it runs and that --url is right"
        case httpx.TimeoutException():
            return f"{url} did not answer in time; see how it is at {base_of(url)}/health/ready"
        case httpx.RemoteProtocolError():
            return f"the connection to {url} ended before there was a whole answer; see that --url is right"
        case httpx.TransportError() | httpx.StreamError():
            return f"the connection to {url} broke; try again"
    return strange(url, "it sent what is not JSON")


def unusable(url: str) -> str:
    """What to tell a person who gave what is no address."""
    return f"{url} is no address of a server; --url takes one such as http://127.0.0.1:8000"


def strange(url: str, what: str) -> str:
    """What to tell a person if something answers at an address, which is no server of opsgraph."""
    return f"{url} did not answer as a server of opsgraph: {what}; see that --url is right"


def _cause(error: BaseException) -> str:
    """What the system says, which is beneath what libraries say."""
    if isinstance(error, OSError) and error.strerror:
        said = os.strerror(error.errno or 0) if error.strerror.startswith(_FAILED) else error.strerror
        return said[:1].lower() + said[1:]
    if isinstance(error, BaseExceptionGroup):  # of a name that has several addresses, the first will do
        return _cause(error.exceptions[0])
    beneath = error.__cause__ or error.__context__
    return _cause(beneath) if beneath else "it does not answer"
