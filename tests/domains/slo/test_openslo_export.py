"""Exporting SLOs as OpenSLO documents, and importing them again."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsgraph.domains.slo.formats import openslo
from opsgraph.domains.slo.formats.openslo_indicators import json_text
from opsgraph.domains.slo.formats.openslo_objectives import OPERATORS
from opsgraph.domains.slo.formats.openslo_values import OpenSlo, SloDocument
from opsgraph.domains.slo.formats.openslo_writer import write
from opsgraph.domains.slo.model import BudgetingMethod, IndicatorKind
from opsgraph.kernel.documents import read_documents
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_name, name_key
from opsgraph.kernel.windows import CalendarWindow

SAMPLES = Path(__file__).parents[2] / "data" / "openslo"
REAL_FILES = Path(__file__).parents[3].parent / "shared" / "data" / "openslo"


def read_folder(folder: Path) -> OpenSlo:
    """What is read of all files in a folder."""
    paths = sorted(folder.glob("*.yaml"))
    return openslo.read([part for path in paths for part in read_documents(path.read_text("utf-8"), path.name)])


def by_name(slos: list[SloDocument] | tuple[SloDocument, ...]) -> list[SloDocument]:
    """The same in the order of exports."""
    return sorted(slos, key=lambda slo: (slo.service, slo.name))


def again(slos: tuple[SloDocument, ...]) -> tuple[SloDocument, ...]:
    """The SLOs after they were written and read."""
    found = openslo.read(read_documents(write(slos), "export.yaml"))
    assert found.refusals == ()
    return found.slos


def test_samples_survive_export() -> None:
    """Written and read again, the samples give equal SLOs; written once more, the same bytes."""
    slos = read_folder(SAMPLES).slos
    assert len(slos) == 4
    assert by_name(again(slos)) == by_name(slos)
    assert write(again(slos)) == write(slos)


def test_exports_are_written_for_people() -> None:
    """Queries of several lines stay blocks; targets are fractions; documents are ordered."""
    text = write(read_folder(SAMPLES).slos)
    assert "            query: |\n              histogram_quantile(\n                0.99,\n" in text
    assert "    - displayName: Quick enough\n      op: lte\n      value: 0.30\n      target: 0.95\n---\n" in text
    names = [line.strip() for line in text.splitlines() if line.startswith("  name: ")]
    assert names == ["name: latency", "name: latency-2", "name: success", "name: availability"]


@pytest.mark.parametrize("indicator", list(IndicatorKind))
def test_indicators_without_queries_survive_export(indicator: IndicatorKind) -> None:
    """What opsgraph measures itself, or someone declares, comes back as it was."""
    slo = SloDocument(
        "web",
        "a",
        Decimal("99.9"),
        indicator,
        window_days=28,
        current=Decimal("99.95") if indicator is IndicatorKind.DECLARED else None,
        latency_threshold_ms=Decimal(300) if indicator is IndicatorKind.LATENCY_UNDER else None,
    )
    assert again((slo,)) == (slo,)


def accepted(check: Callable[[str], str]) -> Callable[[str], bool]:
    """Whether a check takes a text."""

    def holds(text: str) -> bool:
        try:
            check(text)
        except Invalid:
            return False
        return True

    return holds


CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t\r")
TEXTS = st.text(alphabet=CHARACTERS, max_size=20) | st.sampled_from(
    ["sum(\n  a\n)\n", "yes", "1e5", " x ", "# x", "{}"]
)
NAMES = st.text(min_size=1, max_size=12).filter(accepted(free_name)).map(free_name)
SERVICES = st.from_regex(r"[a-z]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
PERCENTS = st.decimals("0.0001", "99.9999", places=4)
NUMBERS = st.integers(-(10**20), 10**20) | st.decimals(-1000, 1000, places=3)
JSON = st.recursive(
    TEXTS | NUMBERS | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
SPECS = st.dictionaries(TEXTS, JSON, min_size=1, max_size=3).filter(
    lambda spec: set(spec) != {"query"} or not isinstance(spec["query"], str)
)


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A query and where it is sent."""
    origin: dict[str, object] = draw(st.fixed_dictionaries({}, optional={"type": TEXTS, "ref": TEXTS}))
    if not draw(st.booleans()):
        return draw(TEXTS), origin
    return json_text(draw(SPECS)), {**origin, "structured": True}


@st.composite
def metrics(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, object]]:
    """The queries of an indicator, and what its source keeps."""
    form = draw(st.sampled_from(["none", "threshold", "ratio", "bad", "raw"]))
    columns: dict[str, Any] = {}
    source: dict[str, object] = {}
    for key in {"none": (), "threshold": ("total",), "ratio": ("good", "total"), "bad": ("total",)}.get(form, ()):
        columns[f"{key}_query"], origin = draw(queries())
        source |= {key: origin} if origin else {}
    if form in ("bad", "raw"):
        query, origin = draw(queries())
        source[form] = {"query": query, **origin}
    if form == "threshold":
        value = draw(NUMBERS.map(lambda number: format(Decimal(number), "f")))
        source |= {"metric": "threshold", "op": draw(st.sampled_from(OPERATORS)), "value": value}
    elif form != "none":
        source |= draw(st.fixed_dictionaries({}, optional={"counter": st.booleans()}))
    if form == "raw":
        source["rawType"] = draw(st.sampled_from(["success", "failure"]))
    return columns, source


@st.composite
def slos(draw: st.DrawFn) -> SloDocument:
    """Any SLO that opsgraph can hold."""
    name = draw(NAMES)
    columns, source = draw(metrics())
    names = draw(st.fixed_dictionaries({}, optional={"name": NAMES, "displayName": TEXTS, "description": TEXTS}))
    names = {key: text for key, text in names.items() if (key, text) != ("name", name)}
    window = draw(
        st.fixed_dictionaries({"window_days": st.integers(1, 90)})
        | st.fixed_dictionaries(
            {
                "calendar": st.sampled_from(CalendarWindow),
                "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
            }
        )
    )
    lengths = st.sampled_from([60, 300, 720, 3600])
    method = draw(st.sampled_from(BudgetingMethod))
    return SloDocument(
        service=draw(SERVICES),
        name=name,
        target=draw(PERCENTS),
        indicator=draw(st.sampled_from(list(IndicatorKind))),
        budgeting_method=method,
        slice_target=draw(PERCENTS if method is BudgetingMethod.TIMESLICES else st.none() | PERCENTS),
        slice_seconds=draw(lengths if method is not BudgetingMethod.OCCURRENCES else st.none() | lengths),
        description=draw(st.none() | TEXTS),
        current=draw(st.none() | PERCENTS),
        latency_threshold_ms=draw(st.none() | st.decimals("0.01", "1e6", places=2)),
        source={**source, **({"indicator": names} if names else {}), **draw(display_names())},
        **window,
        **columns,
    )


def display_names() -> st.SearchStrategy[dict[str, object]]:
    """The display names of a document and its objective."""
    return st.fixed_dictionaries({}, optional={"displayName": TEXTS, "objective": TEXTS})


@given(st.lists(slos(), max_size=3, unique_by=lambda slo: (slo.service, name_key(slo.name))))
def test_exports_read_back_to_the_same_slos_and_bytes(values: list[SloDocument]) -> None:
    """Any SLOs: exported and imported they are equal, and exported again the bytes are the same."""
    text = write(values)
    back = again(tuple(values))
    assert by_name(back) == by_name(values)
    assert write(back) == text
    assert write(tuple(reversed(values))) == text


@given(TEXTS | st.just('{"a": 1e400}') | st.just('{"a": "\\u0000"}') | st.just("[" * 2_000))
def test_queries_that_are_no_longer_json_are_exported_as_queries(query: str) -> None:
    """A source edited since its import is exported as what it says now, and stays so."""
    slo = SloDocument(
        "web", "a", Decimal(99), window_days=28, total_query=query, source={"total": {"structured": True}}
    )
    (back,) = again((slo,))
    assert back.total_query == query
    assert write((back,)) == write((slo,))


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the published files are not on this machine")
def test_published_files() -> None:
    """All import without a refusal, and export to the same bytes each time."""
    found = read_folder(REAL_FILES)
    names = ["search-slo", "main-page", "web-availability", "service-availability", "service-availability-2"]
    assert ([slo.name for slo in found.slos], found.refusals) == (names, ())
    assert by_name(again(found.slos)) == by_name(found.slos)
    assert write(again(found.slos)) == write(found.slos)
