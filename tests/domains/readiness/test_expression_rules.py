"""What is said of an expression by its words alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.readiness.model.expressions import LENGTH
from opsgraph.domains.readiness.rules import expressions
from opsgraph.kernel.refusals import Invalid

SPACE = st.sampled_from(["", " ", "\n", "\t", "\r\n", " // manifest.slo.count `\n"])
NAMES = st.sampled_from([("cost", "monthly"), ("`cost`", "monthly"), ("cost", "`monthly`"), ("`cost`", "`monthly`")])


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("manifest.metrics", set()),
        ("manifest.slo.count > 0", {"slo"}),
        ("manifest.slo.count > 0 || manifest.cost.over_budget", {"slo", "cost"}),
        ("has(manifest . slo\n.count)", {"slo"}),
        ("manifest.custom.slo.count == 1", set()),
        ("manifest.runbook_url.startsWith('https')", set()),
        ('manifest.runbook_url == "manifest.slo.count"', set()),
        (r'manifest.runbook_url == "\"manifest.slo.count"', set()),
        (r"""r"\" == manifest.health.status || 'manifest.slo.count' == "" """, {"health"}),
        ("'''manifest.slo.count' '' ''' == manifest.health.status", {"health"}),
        ('"""a"manifest.slo.count"""== manifest.health.status', {"health"}),
        ("manifest.metrics // manifest.slo.count\n && manifest.health.points == 0", {"health"}),
        ("'http://a' == manifest.health.status", {"health"}),
        ("my_manifest.slo.count", set()),
        ("manifest.`cost`.monthly < 1.0", {"cost"}),
        ("manifest.cost.`monthly` < 1.0", {"cost"}),
        ("(manifest).cost.monthly < 1.0", {"cost"}),
        ("((manifest.cost)).monthly < 1.0", {"cost"}),
        (".manifest.cost.monthly < 1.0", {"cost"}),
        ("manifest // manifest.slo.count\n\t.\r\ncost // `\n.monthly < 1.0", {"cost"}),
        ("'`' == '' || manifest.cost.monthly < 1.0 || '`' == ''", {"cost"}),
        ("'manifest.slo.count", {"slo"}),
        ("", set()),
    ],
)
def test_the_sections_that_an_expression_reads(expression: str, names: set[str]) -> None:
    """Not those that are named in texts and comments."""
    assert expressions.named_sections(expression) == names


@given(names=NAMES, space=st.lists(SPACE, min_size=4, max_size=4), around=st.integers(0, 3), before=st.booleans())
def test_a_section_is_read_however_it_is_written(
    names: tuple[str, str], space: list[str], around: int, before: bool
) -> None:
    """With space, comments and line ends in between, in parentheses, quoted: it is the same to CEL."""
    section, field = names
    read = f"{'(' * around}manifest{space[0]}.{space[1]}{section}{')' * around}{space[2]}.{space[3]}{field}"
    text = f"{read} < 1.0" if before else f"'`' == '' && 1.0 > {read}"
    assert expressions.named_sections(text) == {"cost"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("has(manifest.cost.monthly)", "manifest.cost.monthly"),
        ("true && has( (manifest . `cost`).over_budget )", "manifest.cost.over_budget"),
        ("has(manifest.metrics)", "manifest.metrics"),
        ("has(.manifest.metrics) || true", "manifest.metrics"),
        ("has(manifest.custom)", "manifest.custom"),
        ("has(manifest.custom.x) && has(manifest.slo.count)", "manifest.slo.count"),
    ],
)
def test_has_works_on_free_values_only(text: str, named: str) -> None:
    """Anything else would give its value instead, or not compile."""
    with pytest.raises(Invalid, match=r"works on members of manifest\.custom only.*comes out as ERROR") as refused:
        expressions.accepted(text)
    assert f"has() is asked of {named}, " in refused.value.message
    assert refused.value.field == ("expression",)


@pytest.mark.parametrize(
    "text",
    [
        "has(manifest.custom.region)",
        "has(manifest.custom.`data-class`) && !has(manifest.custom.a.b)",
        "has(manifest.custom['a'].b)",
        "manifest.custom.has == 'has(manifest.metrics)' // has(manifest.metrics)",
    ],
)
def test_has_of_a_free_value_is_accepted(text: str) -> None:
    """Also deep in it; and what only looks like another."""
    assert expressions.accepted(f" {text}\n") == text


def test_an_expression_has_one_length_for_all() -> None:
    """What the rules take, what compiles it takes as well."""
    assert expressions.accepted("x" * LENGTH)
    with pytest.raises(Invalid, match=r"expression has 2001 characters; at most 2000"):
        expressions.accepted("x" * (LENGTH + 1))
