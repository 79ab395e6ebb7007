"""Reading FOCUS files and adding them up."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from opsgraph.domains.cost.formats.focus import ChargeRow, read_rows
from opsgraph.kernel.findings import Finding

SAMPLES = Path(__file__).parents[2] / "data" / "focus"
REAL_FILE = Path(__file__).parents[3].parent / "shared" / "data" / "focus" / "focus_sample.csv"

HEADER = (
    "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,BillingPeriodStart,BillingAccountId,ProviderName,Tags"
)
GOOD = {
    "BilledCost": "1.50",
    "EffectiveCost": "1.25",
    "BillingCurrency": "USD",
    "ChargePeriodStart": "2024-09-05 00:00:00",
    "BillingPeriodStart": "2024-09-01 00:00:00",
    "BillingAccountId": "100",
    "ProviderName": "Cloud",
    "Tags": "NULL",
}


def line(**cells: str) -> str:
    """A row that is good but for these cells."""
    quoted = ('"' + text.replace('"', '""') + '"' for text in (GOOD | cells).values())
    return ",".join(quoted) + "\n"


def read(*rows: str, header: str = HEADER) -> list[ChargeRow | Finding]:
    """What is read of these rows."""
    return list(read_rows([header + "\n", *rows], "a.csv"))


def charge(**cells: str) -> ChargeRow:
    """The one row that is good but for these cells."""
    (row,) = read(line(**cells))
    assert isinstance(row, ChargeRow)
    return row


def reason(**cells: str) -> str:
    """Why the row that is good but for these cells is refused."""
    (row,) = read(line(**cells))
    assert isinstance(row, Finding)
    assert row.line == 2
    return row.reason


def sample(name: str) -> Iterator[str]:
    """The lines of a sample file."""
    return iter((SAMPLES / name).read_text(encoding="utf-8").splitlines(keepends=True))


def test_a_sample_is_read_row_by_row() -> None:
    """Texts, tags, line numbers behind a quoted line break, offsets and negative amounts."""
    first, second, third, refused, last = read_rows(sample("charges.csv"), "charges.csv")
    assert isinstance(first, ChargeRow)
    assert (first.line, first.billed, first.effective, first.currency) == (2, Decimal("10.10"), Decimal(8), "USD")
    assert (first.month, first.origin, first.category) == ("2024-09", "focus:Cloud/100/2024-09", "Usage")
    assert (first.sub_account_id, first.sub_account_name, first.resource_name) == ("7", "Shop", "web-1")
    assert first.tags == {"service": "Checkout", "org": "retail"}
    assert isinstance(second, ChargeRow)
    assert (second.line, second.resource_name, second.charge_class, second.tags) == (3, None, None, {})
    assert isinstance(third, ChargeRow)
    assert (third.line, third.billed, third.effective) == (5, Decimal("-3.5"), None)
    assert (third.month, third.charge_class) == ("2024-09", "Correction")
    assert refused == Finding("charges.csv", 6, 'BilledCost "lots" is not a number')
    assert isinstance(last, ChargeRow)
    assert last.warning == 'Tags "{broken" is not a JSON object; the row is kept without tags'


def test_version_1_3_names_the_provider_otherwise() -> None:
    """ServiceProviderName stands in; columns that are absent are absent values."""
    (row,) = read_rows(sample("charges-1.3.csv"), "charges.csv")
    assert isinstance(row, ChargeRow)
    assert (row.provider, row.effective, row.tags, row.resource_id) == ("Cloud", None, {}, None)
    assert (row.month, row.period) == ("2025-12", "2025-12")


def test_both_provider_columns() -> None:
    """The newer column wins where it says something."""
    header = HEADER + ",ServiceProviderName"
    new, old = (read(line().rstrip() + f",{name}\n", header=header)[0] for name in ("Reseller", "NULL"))
    assert isinstance(new, ChargeRow)
    assert isinstance(old, ChargeRow)
    assert (new.provider, old.provider) == ("Reseller", "Cloud")


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2024-09-30", "2024-09"),
        ("2024-09-30 23:59:59", "2024-09"),
        ("2024-09-30T23:59:59Z", "2024-09"),
        ("2024-09-30 23:59:59 UTC", "2024-09"),
        ("2024-09-30T23:59:59.999999999Z", "2024-09"),
        ("2024-09-30T23:00:00-02:00", "2024-10"),
        ("2024-10-01T01:00:00+02:00", "2024-09"),
    ],
)
def test_months_are_utc(text: str, month: str) -> None:
    """Times without a zone are UTC, others are taken there."""
    assert charge(ChargePeriodStart=text).month == month


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"BilledCost": "NaN"}, 'BilledCost "NaN" is not a number'),
        ({"BilledCost": "Infinity"}, 'BilledCost "Infinity" is not a number'),
        ({"BilledCost": "1,5"}, 'BilledCost "1,5" is not a number'),
        ({"BilledCost": "1_000"}, 'BilledCost "1_000" is not a number'),
        ({"BilledCost": "1.2.3"}, 'BilledCost "1.2.3" is not a number'),
        ({"BilledCost": "NULL"}, "BilledCost is missing"),
        ({"BilledCost": ""}, "BilledCost is missing"),
        ({"BilledCost": "1e18"}, 'BilledCost "1e18" is too large; amounts are under 10^18'),
        ({"BilledCost": "1e99999"}, 'BilledCost "1e99999" is too large; amounts are under 10^18'),
        ({"BilledCost": "1e-61"}, "BilledCost has 61 decimals; at most 60 are read"),
        ({"EffectiveCost": "x"}, 'EffectiveCost "x" is not a number'),
        ({"BillingCurrency": "NULL"}, "BillingCurrency is missing"),
        ({"BillingCurrency": "Dollar"}, 'BillingCurrency "Dollar" is not an ISO 4217 currency code such as USD'),
        ({"ChargePeriodStart": ""}, "ChargePeriodStart is missing"),
        (
            {"ChargePeriodStart": "September"},
            'ChargePeriodStart "September" is not a time such as 2024-09-01T00:00:00Z',
        ),
        (
            {"ChargePeriodStart": "2024-13-01"},
            'ChargePeriodStart "2024-13-01" is not a time such as 2024-09-01T00:00:00Z',
        ),
        (
            {"ChargePeriodStart": "0001-01-01T00:00:00+01:00"},
            'ChargePeriodStart "0001-01-01T00:00:00+01:00" is not a time such as 2024-09-01T00:00:00Z',
        ),
        (
            {"ChargePeriodStart": "9999-01-01"},
            'ChargePeriodStart "9999-01" is out of range; years 1970 to 2199 are accepted',
        ),
        ({"BillingAccountId": "a" * 241}, "BillingAccountId has 241 characters; at most 240 are accepted"),
        ({"BillingPeriodStart": "NULL"}, "BillingPeriodStart is missing"),
        ({"BillingAccountId": "NULL"}, "BillingAccountId is missing"),
        (
            {"BillingAccountId": "a\x00b"},
            "BillingAccountId contains the character U+0000 at position 1, which is not accepted",
        ),
        ({"ProviderName": "\udce9"}, "ProviderName contains the character U+DCE9 at position 0, which is not accepted"),
    ],
)
def test_bad_cells_refuse_their_row(cells: dict[str, str], expected: str) -> None:
    """Each refusal has its line and names the column."""
    assert reason(**cells) == expected


def test_a_bad_row_costs_no_other() -> None:
    """Rows around a wrong column count, a stray quote and an unclosed quote are read."""
    found = read(line(), "1,2\n", "\n", '"a"b,1\n', line(), '"open\n')
    assert [(row.line, isinstance(row, ChargeRow)) for row in found] == [
        (2, True),
        (3, False),
        (5, False),
        (6, True),
        (7, False),
    ]
    assert next(row.reason for row in found if isinstance(row, Finding)) == "the row has 2 columns, the header 8"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "not a FOCUS file: it has no column BilledCost, BillingCurrency, ChargePeriodStart, BillingPeriodStart, "),
        (HEADER.replace("BilledCost", "Cost"), "not a FOCUS file: it has no column BilledCost"),
        (HEADER.replace("ProviderName", "Vendor"), "it has no column ServiceProviderName or ProviderName"),
        (HEADER + ",BilledCost", "column BilledCost is given twice"),
        ('"x', "not valid CSV: unexpected end of data"),
    ],
)
def test_a_header_that_will_not_do_is_one_finding(header: str, expected: str) -> None:
    """The file is refused once, with the columns that it lacks."""
    (found,) = read_rows([header, line()] if not header.startswith('"') else [header], "a.csv")
    assert isinstance(found, Finding)
    assert found.line == 1
    assert expected in found.reason


def test_an_empty_file_is_refused() -> None:
    """A file without a line has no header."""
    assert [isinstance(found, Finding) for found in read_rows([], "a.csv")] == [True]


def test_byte_order_mark_and_padded_header() -> None:
    """Files as spreadsheets write them."""
    header = '\ufeff"BilledCost", EffectiveCost ,' + HEADER.split(",", 2)[2]
    assert len([row for row in read(line(), header=header) if isinstance(row, ChargeRow)]) == 1


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("{}", {}),
        ("null", {}),
        ('{"a": "x", " a": "y", "b ": "z"}', {"a": "x", "b": "z"}),
        ('{" a": "y", "a": "x"}', {"a": "x"}),
        ('{"n": 1.50, "t": true, "o": {"k": [1]}, "z": null}', {"n": "1.5", "t": "true", "o": '{"k": [1]}', "z": ""}),
        ('{"名前": "é"}', {"名前": "é"}),
    ],
)
def test_tags_are_texts(text: str, tags: dict[str, str]) -> None:
    """Keys lose their padding, an unpadded key wins, values become texts."""
    row = charge(Tags=text)
    assert (row.tags, row.warning) == (tags, None)


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "[" * 100_000, '{"a": ' + "9" * 5_000 + "}", "x" * 3_000])
def test_unreadable_tags_are_warned_of(text: str) -> None:
    """The charge is kept, because its amount is what matters."""
    row = charge(Tags=text)
    assert row.tags == {}
    assert row.warning is not None
    assert row.warning.endswith("is not a JSON object; the row is kept without tags")
