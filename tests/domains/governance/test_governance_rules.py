"""What governance checks add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.governance import rules
from opsgraph.domains.governance.model import Governance, GovernanceStatus
from opsgraph.kernel.refusals import Invalid

KEYS = ("runbook", "monitoring", "ownership", "documentation", "incident_response")


def test_there_are_five_checks_with_a_description_each() -> None:
    """Their keys are what the API takes."""
    assert rules.KEYS == KEYS
    assert all(check.description for check in rules.CHECKS)


def test_nothing_recorded_needs_review_and_has_no_checks() -> None:
    """Silence is no failure; a key that is no longer a check is silence."""
    for recorded in ({}, {"abolished": False}):
        assert rules.judge("api", recorded) == Governance(GovernanceStatus.NEEDS_REVIEW, ())


@pytest.mark.parametrize(
    ("failed", "status"),
    [
        (0, GovernanceStatus.COMPLIANT),
        (1, GovernanceStatus.NEEDS_REVIEW),
        (2, GovernanceStatus.NEEDS_REVIEW),
        (3, GovernanceStatus.NON_COMPLIANT),
        (4, GovernanceStatus.NON_COMPLIANT),
        (5, GovernanceStatus.NON_COMPLIANT),
    ],
)
def test_the_status_follows_the_number_of_failures(failed: int, status: GovernanceStatus) -> None:
    """None, one or two, three or more."""
    recorded = {key: place >= failed for place, key in enumerate(KEYS)}
    assert rules.judge("api", recorded).status is status


@given(st.dictionaries(st.sampled_from(KEYS), st.booleans(), min_size=1))
def test_what_is_not_recorded_fails_once_something_is(recorded: dict[str, bool]) -> None:
    """Always all checks, in their order, each as recorded or failed; the status counts the failures."""
    judged = rules.judge("api", recorded)
    assert [(check.name, check.passed) for check in judged.checks] == [(key, recorded.get(key, False)) for key in KEYS]
    assert judged.status is rules.status(len(KEYS) - sum(recorded.values()))


def test_messages_name_the_service_and_say_what_is_known() -> None:
    """The worked example's payments: two checks fail, one of them because nobody recorded it."""
    recorded = {"runbook": True, "monitoring": True, "ownership": True, "documentation": False}
    judged = rules.judge("payments", recorded)
    assert judged.status is GovernanceStatus.NEEDS_REVIEW
    assert [check.message for check in judged.checks] == [
        "payments has a runbook",
        "payments has monitoring",
        "payments has an owner",
        "payments lacks documentation",
        "payments has no record of an incident response plan",
    ]


@pytest.mark.parametrize("key", ["Runbook", "incident-response", "", "nul\0", "x" * 10_000])
def test_an_unknown_check_is_refused_with_those_that_there_are(key: str) -> None:
    """The details are for programs, the message for people."""
    with pytest.raises(Invalid, match="there are runbook, monitoring") as caught:
        rules.check_key(key)
    assert caught.value.field == ("check",)
    assert caught.value.details == {"allowed": list(KEYS)}
    assert len(caught.value.message) < 300
