"""What makes a key: its secret, its name, its roles, and whether it is good."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.access import rules
from opsgraph.domains.access.model import ApiKey, CreatedKey
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.refusals import Forbidden, Invalid
from tests.support.clock import START

KEY = ApiKey(UUID(int=1), "ana", (Role.VIEWER,), "ogk_abcdef", None, "local", START, None, None, None)
CHANCE = st.integers(min_value=0, max_value=2**rules.SECRET_BITS - 1)
SECOND = timedelta(seconds=1)


@given(CHANCE)
def test_every_secret_has_the_shape_by_which_scanners_know_one(chance: int) -> None:
    """`ogk_` and 43 letters and digits; what is shown of it, and what senders take, are parts of it."""
    secret = rules.secret_of(chance)
    assert rules.looks_like_secret(secret)
    assert len(secret) == 47
    assert secret.startswith(rules.prefix_of(secret))
    assert len(rules.prefix_of(secret)) == 10
    assert rules.looks_like_routing_key(rules.routing_key_of(secret))
    assert rules.routing_key_of(secret) in secret


@given(CHANCE, CHANCE)
def test_no_chance_is_lost_in_writing_it(one: int, other: int) -> None:
    """Two secrets are equal only if all their bits are."""
    assert (rules.secret_of(one) == rules.secret_of(other)) is (one == other)


@pytest.mark.parametrize(
    "text", ["", "ogk_", "ogk_" + "a" * 42, "ogk_" + "a" * 44, "OGK_" + "a" * 43, "ogk_" + "ä" * 43, "a" * 43 + "\n"]
)
def test_what_is_no_secret_does_not_look_like_one(text: str) -> None:
    """Nobody looks it up."""
    assert not rules.looks_like_secret(text)


def test_a_secret_that_was_just_made_is_not_shown_by_accident() -> None:
    """Neither a log nor a traceback shows values by their own words."""
    assert "hush" not in repr(CreatedKey(KEY, "hush"))


@pytest.mark.parametrize("name", ["local", "LOCAL", " system ", "", "  ", "a\nb", "x" * 201])
def test_some_names_are_nobodys(name: str) -> None:
    """Those of opsgraph itself, in any case, and what is no name at all."""
    with pytest.raises(Invalid) as refused:
        rules.key_name(name)
    assert refused.value.field == ("name",)


def test_roles_are_kept_once_and_in_their_order() -> None:
    """However they were given."""
    assert rules.key_roles([Role.ADMIN, Role.VIEWER, Role.ADMIN], bound=False) == (Role.VIEWER, Role.ADMIN)
    assert rules.key_roles([Role.INGEST], bound=True) == (Role.INGEST,)


@pytest.mark.parametrize(
    ("roles", "bound"), [([], False), ([], True), ([Role.VIEWER], True), ([Role.INGEST, Role.ADMIN], True)]
)
def test_roles_that_no_key_can_have(roles: list[Role], *, bound: bool) -> None:
    """None at all; and beside a service, any that it would not bound."""
    with pytest.raises(Invalid) as refused:
        rules.key_roles(roles, bound=bound)
    assert refused.value.field == ("roles",)


def test_a_key_expires_in_the_future_or_never() -> None:
    """The instant itself is past already."""
    assert rules.key_expiry(None, START) is None
    assert rules.key_expiry(START + SECOND, START) == START + SECOND
    for past in (START, START - SECOND):
        with pytest.raises(Invalid, match="a key expires in the future"):
            rules.key_expiry(past, START)


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    """From the instant of either on it is refused; what was revoked is called so, expired or not."""
    expiring = replace(KEY, expires_at=START)
    assert [rules.refused_because(expiring, START - SECOND), rules.refused_because(expiring, START)] == [
        None,
        "expired",
    ]
    assert rules.refused_because(replace(expiring, revoked_at=START), START) == "revoked"
    assert rules.refused_because(KEY, START + timedelta(days=10_000)) is None


def test_who_is_bound_to_a_service_posts_about_that_alone() -> None:
    """Whatever the case of its name; whoever is bound to none posts about any."""
    bound = Actor("pipeline", frozenset({Role.INGEST}), service="api")
    rules.require_service(bound, "API", "recordCost")
    rules.require_service(Actor("ana", frozenset()), "web", "recordCost")
    for other, said in (("web", 'not about "web"'), (None, "nothing else")):
        with pytest.raises(Forbidden) as refused:
            rules.require_service(bound, other, "recordCost")
        assert refused.value.message == f'"pipeline" is bound to the service "api": recordCost is for that, {said}'
        assert refused.value.details == {"action": "recordCost", "service": "api"}
