"""What the catalog accepts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from opsgraph.domains.catalog.model import DeploymentInput, Link
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_name, label, shown

DEFAULT_TIER = 3
TIERS = (1, 2, 3, 4)
MOST_TAGS = 50
MOST_LINKS = 50
MOST_DEPENDENCIES = 500
TAG_LENGTH = 63
URL_LENGTH = 2_000
CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future an instant may lie before it is refused: clocks of senders differ."""


def service_name(value: str, field: str = "name") -> str:
    """Accept a service's name, an RFC 1123 label.

    Raises:
        Invalid: anything else.
    """
    return label(value, field)


def tier(value: int) -> int:
    """Accept a tier from 1 (most critical) to 4.

    Raises:
        Invalid: another number.
    """
    if value not in TIERS:
        raise Invalid(f"tier is {value}; it takes 1 (most critical) to 4", "tier")
    return value


def tags(values: Sequence[str]) -> list[str]:
    """Accept tags of 1 to 63 characters; repeated ones count once, the order is kept.

    Raises:
        Invalid: a tag is empty, too long or has a control character, or there are more than 50.
    """
    _at_most(MOST_TAGS, values, "tags")
    checked = [free_name(value, "tags") for value in values]
    for tag in checked:
        if len(tag) > TAG_LENGTH:
            raise Invalid(f"tag {shown(tag)} has {len(tag)} characters; at most {TAG_LENGTH} are accepted", "tags")
    return list(dict.fromkeys(checked))


def links(values: Sequence[Link]) -> list[Link]:
    """Accept links to http and https addresses; nothing that a browser would run.

    Raises:
        Invalid: another kind of address, a title that is none, or more than 50.
    """
    _at_most(MOST_LINKS, values, "links")
    return [Link(free_name(link.title, "links"), web_address(link.url, "links")) for link in values]


def web_address(url: str, field: str) -> str:
    """Accept an absolute http or https address of at most 2,000 characters.

    Raises:
        Invalid: anything else.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Invalid(f"{shown(url)} is not a web address", field) from error
    fits = len(url) <= URL_LENGTH and url.isprintable() and " " not in url
    if not fits or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Invalid(f"{shown(url)} is not an http or https address", field)
    return url


def dependencies(service: str, names: Sequence[str]) -> list[str]:
    """Accept the names a service depends on: not itself; repeated ones count once.

    Raises:
        Invalid: the service itself, something that is no name, or more than 500.
    """
    _at_most(MOST_DEPENDENCIES, names, "depends_on")
    checked = {service_name(name, "depends_on").lower(): name for name in names}
    if service.lower() in checked:
        raise Invalid(f"{service} cannot depend on itself", "depends_on")
    return list(checked.values())


def deployment(wanted: DeploymentInput, now: datetime) -> tuple[str, str, datetime]:
    """Accept a deployment; gives its version, environment and time.

    Raises:
        Invalid: it lies in the future, or before its commit, or a text is none.
    """
    deployed_at = wanted.deployed_at or now
    if deployed_at > now + CLOCK_SKEW:
        raise Invalid("deployedAt lies in the future", "deployed_at")
    if wanted.committed_at is not None and wanted.committed_at > deployed_at:
        raise Invalid("committedAt lies after deployedAt", "committed_at")
    environment = free_name(wanted.environment, "environment").lower()
    return free_name(wanted.version, "version"), environment, deployed_at


def _at_most(limit: int, values: Sequence[object], field: str) -> None:
    if len(values) > limit:
        raise Invalid(f"{len(values)} {field.replace('_', ' ')} were given; at most {limit} are accepted", field)
