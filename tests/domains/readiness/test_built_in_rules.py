"""The checks that are built in: explained, and judged by what is declared, recorded and measured."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.readiness.model.expressions import Evaluated
from opsgraph.domains.readiness.model.manifests import Facts, FieldType, Manifest, Section
from opsgraph.domains.readiness.model.overrides import Exemption
from opsgraph.domains.readiness.model.policies import Check, Policy, ReadinessCategory
from opsgraph.domains.readiness.model.verdicts import CheckOutcome, CheckResult, ReadinessDecision
from opsgraph.domains.readiness.rules import checking, deciding
from opsgraph.domains.readiness.rules.built_in import BUILT_IN, BY_NAME
from opsgraph.domains.readiness.rules.policies import DEFAULT
from tests.support.readiness_manifests import DECLARATIONS, FLAGS, MEASURED
from tests.support.readiness_rules import (
    ERROR,
    FAILED,
    NOW,
    PASSED,
    SKIPPED,
    SUBJECT,
    facts,
    manifest,
    policy,
)

EVERYTHING = {**dict.fromkeys(FLAGS, True), "runbook_url": "https://example.org/runbook"}
HEALTHY = (
    facts("service", {"name": "api", "team": "payments"}),
    facts("slo", {"count": 2, "met": 2, "breached": 0, "unknown": 0}, timedelta(hours=1)),
    facts("incidents", {"open": 0, "open_critical": 0}, timedelta()),
)


def run(
    known: Manifest,
    rules: Policy = DEFAULT,
    exemptions: Mapping[str, Exemption] | None = None,
    evaluated: Mapping[str, Evaluated] | None = None,
) -> tuple[CheckResult, ...]:
    """What becomes of the checks of a policy for the service api."""
    return checking.run(rules, known, SUBJECT, exemptions or {}, evaluated or {}, NOW)


def one(known: Manifest, asked: Check, **values: Any) -> tuple[CheckOutcome, str]:
    """What becomes of one check, and why."""
    (result,) = run(known, policy(asked), **values)
    return result.outcome, result.message


def built_in(name: str, known: Manifest) -> tuple[CheckOutcome, str]:
    """What becomes of a check that is built in, and why."""
    return one(known, BY_NAME[name].check)


def test_the_checks_that_are_built_in() -> None:
    """Nineteen, in four categories, each explained in sentences; every field that is declared has one."""
    assert len(BUILT_IN) == len(BY_NAME) == 19
    assert {entry.check.category for entry in BUILT_IN} == set(ReadinessCategory)
    for entry in BUILT_IN:
        for text in (entry.check.description, entry.check.why, entry.check.fix):
            assert text.endswith(".")
            assert text[0].isupper()
            assert "\n" not in text
    assert set(FLAGS) <= BY_NAME.keys()


def test_a_service_that_has_everything_is_a_go() -> None:
    """Nobody measures who is on call yet, which counts neither way."""
    results = run(manifest(EVERYTHING, None, *HEALTHY))
    assert {one.name for one in results if one.outcome is not PASSED} == {"on_call_coverage"}
    assert deciding.decide(DEFAULT, results).decision is ReadinessDecision.GO


def test_a_service_that_has_nothing_is_a_no_go() -> None:
    """All of SECURITY blocks, and is named."""
    results = run(
        manifest({}, None, facts("service", {"name": "api"}), facts("slo", {"count": 0, "met": 0, "breached": 0}))
    )
    judgement = deciding.decide(DEFAULT, results)
    assert judgement.decision is ReadinessDecision.NO_GO
    assert judgement.blockers == ("authentication", "secret_scanning", "dependency_scanning", "encryption")
    assert judgement.pass_rate == 0


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_passes_where_it_is_declared_true(name: str) -> None:
    """Not declared is not there; the two are told apart."""
    assert built_in(name, manifest({name: True})) == (PASSED, "declared")
    assert built_in(name, manifest({name: False})) == (FAILED, "declared false")
    assert built_in(name, manifest({})) == (FAILED, "not declared")


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("runbook", {}, (FAILED, "no runbook_url is declared")),
        ("runbook", {"runbook_url": "https://example.org"}, (PASSED, "runbook_url is https://example.org")),
        ("owner", {}, (PASSED, "team payments owns it")),
    ],
)
def test_what_is_declared_or_known_of_the_catalog(
    name: str, declared: dict[str, Any], expected: tuple[CheckOutcome, str]
) -> None:
    """The link is shown, and so is the team."""
    assert built_in(name, manifest(declared, None, *HEALTHY)) == expected
    assert built_in("owner", manifest({}, None, facts("service", {"name": "api"}))) == (FAILED, "no team owns it")


@pytest.mark.parametrize(("name", "duty"), [("runbook", "runbook"), ("owner", "ownership"), ("alerting", "monitoring")])
def test_an_explicit_governance_answer_beats_the_rest(name: str, duty: str) -> None:
    """Either way."""
    everything = manifest(EVERYTHING, {duty: False}, *HEALTHY)
    assert built_in(name, everything) == (FAILED, f"governance check {duty} is recorded as failed")
    assert built_in(name, manifest({}, {duty: True})) == (PASSED, f"governance check {duty} is recorded as passed")
    assert built_in(name, manifest({}, {"documentation": True}))[0] is FAILED


@pytest.mark.parametrize(
    ("count", "met", "breached", "defined", "kept"),
    [
        (0, 0, 0, (FAILED, "no SLO is defined"), (SKIPPED, "no SLO to judge by: none is defined")),
        (1, 0, 0, (PASSED, "1 SLO is defined"), (SKIPPED, "no SLO to judge by: none of them has been judged yet")),
        (1, 1, 0, (PASSED, "1 SLO is defined"), (PASSED, "1 SLO is met, none breached")),
        (3, 2, 0, (PASSED, "3 SLOs are defined"), (PASSED, "2 of 3 SLOs are met, 1 has no data, none is missed")),
        (2, 2, 0, (PASSED, "2 SLOs are defined"), (PASSED, "2 SLOs are met, none breached")),
        (2, 1, 0, (PASSED, "2 SLOs are defined"), (PASSED, "1 of 2 SLOs is met, 1 has no data, none is missed")),
        (5, 2, 0, (PASSED, "5 SLOs are defined"), (PASSED, "2 of 5 SLOs are met, 3 have no data, none is missed")),
        (2, 0, 1, (PASSED, "2 SLOs are defined"), (FAILED, "1 of 1 SLO is breached")),
        (3, 1, 2, (PASSED, "3 SLOs are defined"), (FAILED, "2 of 3 SLOs are breached")),
        (3, 2, 1, (PASSED, "3 SLOs are defined"), (FAILED, "1 of 3 SLOs is breached")),
    ],
)
def test_slos(
    count: int, met: int, breached: int, defined: tuple[CheckOutcome, str], kept: tuple[CheckOutcome, str]
) -> None:
    """Those that nobody has judged count neither way, and are not passed over in silence."""
    known = manifest({}, None, facts("slo", {"count": count, "met": met, "breached": breached}, timedelta()))
    assert built_in("slo_defined", known) == defined
    assert built_in("slos_met", known) == kept


@pytest.mark.parametrize(
    ("critical", "expected"),
    [
        (0, (PASSED, "no critical incident is open")),
        (1, (FAILED, "1 critical incident is open")),
        (2, (FAILED, "2 critical incidents are open")),
    ],
)
def test_critical_incidents(critical: int, expected: tuple[CheckOutcome, str]) -> None:
    """One is enough."""
    assert (
        built_in("no_critical_incident", manifest({}, None, facts("incidents", {"open_critical": critical})))
        == expected
    )


@pytest.mark.parametrize(
    ("name", "section", "values", "what"),
    [
        ("slo_defined", "slo", {"met": 1}, "SLOs are"),
        ("slos_met", "slo", {"count": 1, "met": 1}, "SLOs are"),
        ("no_critical_incident", "incidents", {"open": 0}, "incidents are"),
    ],
)
def test_what_is_not_measured_is_no_pass(name: str, section: str, values: dict[str, Any], what: str) -> None:
    """Where nobody measures it, it is not asked; where it is not known of this service, that is an error."""
    assert built_in(name, manifest()) == (SKIPPED, f"{what} not measured here")
    assert built_in(name, manifest({}, None, facts(section, values))) == (ERROR, f"{what} not known for this service")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, (SKIPPED, "on-call coverage is not measured here")),
        ({}, (ERROR, "on-call coverage is not known for this service")),
        ({"covered": True}, (PASSED, "somebody is on call")),
        ({"covered": False}, (FAILED, "nobody is on call")),
    ],
)
def test_on_call_coverage_needs_somebody_who_measures_it(
    values: dict[str, Any] | None, expected: tuple[CheckOutcome, str]
) -> None:
    """A section called oncall is all it takes."""
    section = Section("oncall", {"covered": FieldType.BOOL})
    measured = {} if values is None else {"oncall": Facts(section, values, NOW)}
    assert built_in("on_call_coverage", Manifest({}, measured)) == expected


@given(DECLARATIONS, MEASURED, st.dictionaries(st.sampled_from(["runbook", "ownership", "monitoring"]), st.booleans()))
def test_every_check_comes_to_something_that_can_be_shown(
    declared: dict[str, Any], measured: dict[str, Facts], recorded: dict[str, bool]
) -> None:
    """Whatever is known: one result a check, in one line."""
    results = run(Manifest(declared, measured, recorded))
    assert [result.name for result in results] == [check.name for check in DEFAULT.checks]
    assert all(result.message and len(result.message.splitlines()) == 1 for result in results)
