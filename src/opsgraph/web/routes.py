"""Where the pages and their files are served."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent


def page_routes(*, graphiql: bool) -> list[BaseRoute]:
    """The routes of the pages.

    Args:
        graphiql: whether GraphiQL is served.
    """
    routes: list[BaseRoute] = [Route("/", _file("index.html")), Route("/favicon.svg", _file("favicon.svg"))]
    if graphiql:
        routes.append(Route("/graphiql", _file("graphiql.html")))
        routes.append(Mount("/static/graphiql", StaticFiles(directory=FOLDER / "vendor" / "graphiql")))
    routes.append(Mount("/static", StaticFiles(directory=FOLDER / "static")))
    return routes


def _file(name: str) -> Callable[[Request], Awaitable[FileResponse]]:
    async def serve(_request: Request) -> FileResponse:
        return FileResponse(FOLDER / name, headers={"cache-control": "no-cache"})

    return serve
