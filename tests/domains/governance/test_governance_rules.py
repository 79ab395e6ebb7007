"""What governance checks add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.governance import rules
from opsgraph.domains.governance.model import Duty, Governance, GovernanceStatus
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


def test_what_is_declared_stands_in_for_what_was_not_recorded() -> None:
    """The message says where the answer is from; an answer that was recorded, either way, beats it."""
    judged = rules.judge("api", {"monitoring": False, "ownership": True}, {"runbook", "monitoring", "ownership"})
    assert [(check.passed, check.message) for check in judged.checks[:3]] == [
        (True, "api declares a runbook"),
        (False, "api lacks monitoring"),
        (True, "api has an owner"),
    ]


@given(
    recorded=st.dictionaries(st.sampled_from([*KEYS, "restore_test", "abolished"]), st.booleans()),
    implied=st.sets(st.sampled_from([*KEYS, "restore_test", "abolished"])),
    saved=st.lists(
        st.builds(Duty, st.sampled_from([*KEYS, "restore_test"]), st.just("?"), st.just("it"), st.booleans()),
        unique_by=lambda duty: duty.key,
    ),
)
def test_every_duty_in_force_is_judged_by_its_best_answer(
    recorded: dict[str, bool], implied: set[str], saved: list[Duty]
) -> None:
    """Recorded beats implied beats nothing; where nothing in force was recorded there are no checks at all."""
    duties = rules.in_force(saved)
    judged = rules.judge("api", recorded, implied, duties)
    if recorded.keys().isdisjoint(duty.key for duty in duties):
        assert judged == Governance(GovernanceStatus.NEEDS_REVIEW, ())
        return
    expected = [(duty.key, recorded.get(duty.key, duty.key in implied)) for duty in duties]
    assert [(check.name, check.passed) for check in judged.checks] == expected
    assert judged.status is rules.status(sum(not passed for _, passed in expected))
    without = rules.judge("api", recorded, (), duties)
    assert sum(check.passed for check in judged.checks) >= sum(check.passed for check in without.checks)


RESTORE = Duty("restore_test", "A restore was tried this quarter.", "a restore test")


def test_duties_stand_in_one_order() -> None:
    """The built-in ones first, as they were changed, then the others by key; disabled ones are not in force."""
    reworded = Duty("ownership", "Somebody answers.", "somebody")
    saved = [RESTORE, Duty("audit", "It is audited.", "an audit", enabled=False), reworded]
    assert [duty.key for duty in rules.all_duties(saved)] == [*KEYS, "audit", "restore_test"]
    assert [duty.key for duty in rules.in_force(saved)] == [*KEYS, "restore_test"]
    assert rules.in_force(saved)[2] == reworded
    assert rules.in_force([]) == rules.CHECKS


@pytest.mark.parametrize("key", ["a", "restore_test", "soc2_type_2", "x" * 63])
def test_keys_of_duties_are_snake_case(key: str) -> None:
    """As the built-in ones are."""
    assert rules.duty_key(key) == key


@pytest.mark.parametrize(
    "key", ["", "Restore", "restore-test", "_a", "a_", "a__b", "2fa", "a b", "a\n", "é", "nul\0", "x" * 64]
)
def test_other_keys_are_refused(key: str) -> None:
    """Spaces, capitals, signs and other scripts would be typed in more than one way."""
    with pytest.raises(Invalid, match="is not snake_case of 1 to 63 characters") as caught:
        rules.duty_key(key)
    assert caught.value.field == ("key",)


@given(st.from_regex(r"[a-z0-9_]{0,66}", fullmatch=True))
def test_underscores_stand_alone_between_letters_and_digits(value: str) -> None:
    """Keys begin with a letter, and no part between underscores is empty."""
    right = 1 <= len(value) <= 63 and value[0].isalpha() and all(value.split("_"))
    try:
        assert rules.duty_key(value) == value
    except Invalid:
        assert not right
    else:
        assert right
