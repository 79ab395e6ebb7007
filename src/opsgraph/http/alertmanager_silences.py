"""Silences by Alertmanager's API, version 2: the same that GraphQL makes.

GET, POST   /api/v2/silences
GET, DELETE /api/v2/silence/<uuid>
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opsgraph.domains.alerts.formats.alertmanager_silences import read_silence, silence_id
from opsgraph.domains.alerts.formats.alertmanager_views import silence_view
from opsgraph.domains.alerts.formats.matchers import read_matchers
from opsgraph.domains.alerts.model import Silence
from opsgraph.domains.alerts.queries import silences as queries
from opsgraph.domains.alerts.rules import matching
from opsgraph.http.alertmanager import told
from opsgraph.http.guarding import Gate, Guarded, Handler
from opsgraph.kernel.actor import Role
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.pages import LARGEST_SIZE, PageRequest
from opsgraph.kernel.refusals import NotFound
from opsgraph.storage.database import Database
from opsgraph.workflows import silencing

_PAGES = 5
_ORDER = {"active": 0, "pending": 1, "expired": 2}


@dataclass(frozen=True, slots=True)
class SilencesApi:
    """The part of the API that is about silences.

    Attributes:
        gate: lets in who may enter.
        database: where silences are.
        clock: where the present comes from.
    """

    gate: Gate
    database: Database
    clock: Clock

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            _route("/api/v2/silences", self._list, "GET"),
            _route("/api/v2/silences", self._post, "POST"),
            _route("/api/v2/silence/{id}", self._one, "GET"),
            _route("/api/v2/silence/{id}", self._expire, "DELETE"),
        ]

    async def _list(self, request: Request) -> Response:
        await self.gate.enter(request, (Role.VIEWER,), "reading silences")
        filters = [matcher for text in request.query_params.getlist("filter") for matcher in read_matchers(text)]
        test = matching.test_of(matching.matchers(filters, "filter"))
        now = self.clock.now()
        views = [
            silence_view(silence, now)
            for silence in await self._newest()
            if test({matcher.label: matcher.value for matcher in silence.matchers})
        ]
        return JSONResponse(sorted(views, key=lambda view: (_ORDER[view["status"]["state"]], view["endsAt"])))

    async def _newest(self) -> list[Silence]:
        """Those in force, and the newest thousand of all."""
        now = self.clock.now()
        async with self.database.reading() as session:
            found = {silence.id: silence for silence in await queries.active_silences(session, now)}
            request = PageRequest(LARGEST_SIZE)
            for _ in range(_PAGES):
                page = await queries.silences_page(session, None, now, request)
                found |= {silence.id: silence for silence in page.rows}
                if not page.has_next:
                    break
                request = PageRequest(LARGEST_SIZE, after=page.keys[-1])
        return list(found.values())

    async def _post(self, request: Request) -> Response:
        actor = await self.gate.enter(request, (Role.RESPONDER,), "making silences")
        posted = read_silence(await request.body())
        made = await silencing.post_silence(
            self.database, actor, self.clock.now(), posted.wanted, posted.id, posted.created_by
        )
        return JSONResponse({"silenceID": str(made.id)})

    async def _one(self, request: Request) -> Response:
        await self.gate.enter(request, (Role.VIEWER,), "reading silences")
        id_ = silence_id(request.path_params["id"])
        async with self.database.reading() as session:
            found = (await queries.silences_by_id(session, [id_])).get(id_)
        if found is None:
            raise NotFound("silence not found")
        return JSONResponse(silence_view(found, self.clock.now()))

    async def _expire(self, request: Request) -> Response:
        actor = await self.gate.enter(request, (Role.RESPONDER,), "ending silences")
        id_ = silence_id(request.path_params["id"])
        await silencing.expire_silence(self.database, actor, self.clock.now(), id_)
        return Response()


def _route(path: str, handle: Handler, method: str) -> Route:
    return Route(path, Guarded(handle, told), methods=[method])
