"""Where a request comes from, as browsers say it: a page of another site may not use its visitor's access."""

from collections.abc import Collection

from starlette.datastructures import Headers


def is_foreign(headers: Headers, allowed: Collection[str]) -> bool:
    """Whether a page of another origin than ours sent this, and none of those allowed.

    Args:
        headers: of the request.
        allowed: origins such as ``https://dashboard.example``.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed:
        return False
    return origin.partition("://")[2] != headers.get("host")
