"""Who a request comes from."""

from starlette.requests import HTTPConnection

from opsgraph.kernel.actor import LOCAL, Actor
from opsgraph.kernel.refusals import Unauthenticated
from opsgraph.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Authenticator:
    """Finds the actor of a request.

    Keys are not issued yet: under `auto`, whoever reaches a server bound to loopback acts as `local` with every role;
    under `required`, nobody is known.
    """

    def __init__(self, settings: Settings) -> None:
        self._required = settings.auth == "required"

    async def __call__(self, request: HTTPConnection) -> Actor:
        """The actor of this request.

        Raises:
            Unauthenticated: authentication is required, or a key was sent that nobody issued.
        """
        if request.headers.get("authorization"):
            raise Unauthenticated("the key in Authorization is not known here")
        if self._required:
            raise Unauthenticated("this server asks for a key: send Authorization: Bearer <key>")
        return LOCAL


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host is reached from its own machine only."""
    return host in LOOPBACK or host.startswith("127.")
