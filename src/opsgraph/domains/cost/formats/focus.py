"""FOCUS cost and usage files (CSV, 1.0 to 1.3) read row by row in bounded memory.

A row that cannot be read is a finding and the rest goes on. ``NULL`` and empty cells are absent values, negative
amounts are credits and corrections, times without a zone are UTC. Version 1.3 calls ProviderName ServiceProviderName.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, Protocol

from opsgraph.domains.cost.rules import month
from opsgraph.kernel.findings import Finding
from opsgraph.kernel.money import LARGEST, currency_of
from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import free_text, shown

MOST_DECIMALS = 60
LONGEST_IDENTIFIER = 240  # two of them and a period make an origin, which has at most 500 characters

_REQUIRED = ("BilledCost", "BillingCurrency", "ChargePeriodStart", "BillingPeriodStart", "BillingAccountId")
_PROVIDERS = ("ServiceProviderName", "ProviderName")
_OPTIONAL = (
    "EffectiveCost",
    "Tags",
    "SubAccountId",
    "SubAccountName",
    "ResourceId",
    "ResourceName",
    "ChargeCategory",
    "ChargeClass",
)
_COLUMNS = (*_REQUIRED, *_PROVIDERS, *_OPTIONAL)

_CACHED = 4_096
_LONGEST_CACHED = 2_000
_LONGEST_TIME = 64
_NULLS: dict[str, str | None] = {"": None, "NULL": None, "null": None}
_NO_TAGS: Mapping[str, str] = MappingProxyType({})
_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]{1,5})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")


class _CsvReader(Protocol):
    """What the csv module's readers offer."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


class ChargeRow(NamedTuple):
    """One charge, as far as opsgraph needs it; a tuple, because files have millions of them.

    Attributes:
        line: where the row begins in the file, counted from 1.
        billed: BilledCost, what the invoice says.
        effective: EffectiveCost, amortised; None if the file has none.
        currency: ISO 4217 code.
        month: ``YYYY-MM`` of ChargePeriodStart in UTC.
        provider: ServiceProviderName, or ProviderName before 1.3.
        account: BillingAccountId.
        period: ``YYYY-MM`` of BillingPeriodStart in UTC.
        tags: keys without surrounding spaces, values as texts. Rows share it: never change it.
        warning: why something of the row was left out, or None.
        sub_account_id: SubAccountId; it and the texts below are None where absent.
        sub_account_name: SubAccountName.
        resource_id: ResourceId.
        resource_name: ResourceName.
        category: ChargeCategory.
        charge_class: ChargeClass.
    """

    line: int
    billed: Decimal
    effective: Decimal | None
    currency: str
    month: str
    provider: str
    account: str
    period: str
    tags: Mapping[str, str]
    warning: str | None
    sub_account_id: str | None
    sub_account_name: str | None
    resource_id: str | None
    resource_name: str | None
    category: str | None
    charge_class: str | None

    @property
    def origin(self) -> str:
        """What importing the same bill again replaces: ``focus:provider/account/billing period``."""
        return f"focus:{self.provider}/{self.account}/{self.period}"


def read_rows(lines: Iterable[str], file: str) -> Iterator[ChargeRow | Finding]:
    """Read a FOCUS file from its lines (an open text file will do, best with ``newline=""``), one row at a time.

    Yields a finding for a row that cannot be read. Without a usable header there is one finding, and no row.
    """
    reader = csv.reader(_without_byte_order_mark(lines), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        yield Finding(file, 1, f"not valid CSV: {error}")
        return
    problem = _header_problem(header)
    if problem:
        yield Finding(file, 1, problem)
        return
    yield from _rows(reader, _picker(header), len(header), file)


def _without_byte_order_mark(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    return chain((line.removeprefix("\ufeff") for line in [next(rest, "")]), rest)


def _header_problem(header: list[str]) -> str | None:
    missing = [name for name in _REQUIRED if name not in header]
    if not any(name in header for name in _PROVIDERS):
        missing.append(" or ".join(_PROVIDERS))
    if missing:
        return f"not a FOCUS file: it has no column {', '.join(missing)}"
    twice = [name for name in _COLUMNS if header.count(name) > 1]
    return f"column {', '.join(twice)} is given twice" if twice else None


def _picker(header: list[str]) -> Callable[[list[str]], tuple[str, ...]]:
    """Picks the known columns out of a row that ends with one empty cell more, which stands for those absent."""
    places = {name: place for place, name in enumerate(header)}
    return itemgetter(*(places.get(name, -1) for name in _COLUMNS))


def _rows(
    reader: _CsvReader, pick: Callable[[list[str]], tuple[str, ...]], width: int, file: str
) -> Iterator[ChargeRow | Finding]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Finding(file, line, f"not valid CSV: {error}")
            continue
        if len(cells) == width:
            cells.append("")
            yield _row(line, pick(cells), file)
        elif cells:
            yield Finding(file, line, f"the row has {len(cells)} columns, the header {width}")


def _row(line: int, cells: tuple[str, ...], file: str) -> ChargeRow | Finding:
    billed, currency, charged, period, account, provider, old_provider, effective, tags, *texts = cells
    try:
        return ChargeRow(
            line,
            _amount(billed, "BilledCost"),
            None if effective in _NULLS else _amount(effective, "EffectiveCost"),
            _currency(currency),
            _month(charged, "ChargePeriodStart"),
            _identifier(old_provider if provider in _NULLS else provider, "ProviderName"),
            _identifier(account, "BillingAccountId"),
            _month(period, "BillingPeriodStart"),
            *(_cached_tags(tags) if len(tags) <= _LONGEST_CACHED else _read_tags(tags)),
            *(_NULLS.get(text, text) for text in texts),
        )
    except Invalid as refusal:
        return Finding(file, line, refusal.message)


def _amount(text: str, column: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _unfit(text, column, "a number")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise _unfit(text, column, "a number") from None
    if not -LARGEST < amount < LARGEST:
        raise Invalid(f"{column} {shown(text)} is too large; amounts are under 10^18", column)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise Invalid(f"{column} has {-exponent} decimals; at most {MOST_DECIMALS} are read", column)
    return amount


@lru_cache(_CACHED)
def _currency(text: str) -> str:
    if text in _NULLS:
        raise Invalid("BillingCurrency is missing", "BillingCurrency")
    return currency_of(text, "BillingCurrency")


@lru_cache(_CACHED)
def _month(text: str, column: str) -> str:
    bare = text.removesuffix(" UTC")
    if len(bare) > _LONGEST_TIME or not _TIME.fullmatch(bare):
        raise _unfit(text, column, "a time such as 2024-09-01T00:00:00Z")
    try:
        time = datetime.fromisoformat(bare)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _unfit(text, column, "a time such as 2024-09-01T00:00:00Z") from None
    return month(f"{time.year:04}-{time.month:02}", column)


@lru_cache(_CACHED)
def _identifier(text: str, column: str) -> str:
    if text in _NULLS:
        raise Invalid(f"{column} is missing", column)
    return free_text(text, column, LONGEST_IDENTIFIER)


def _unfit(text: str, column: str, wanted: str) -> Invalid:
    return Invalid(f"{column} is missing" if text in _NULLS else f"{column} {shown(text)} is not {wanted}", column)


def _read_tags(text: str) -> tuple[Mapping[str, str], str | None]:
    """The tags of a row, and a warning if its text cannot be read."""
    if text in _NULLS:
        return _NO_TAGS, None
    try:
        tags = json.loads(text)
    except (ValueError, RecursionError):
        tags = None
    if not isinstance(tags, dict):
        return _NO_TAGS, f"Tags {shown(text)} is not a JSON object; the row is kept without tags"
    padded_first = sorted(tags, key=lambda key: key == key.strip())
    return {key.strip(): _tag_text(tags[key]) for key in padded_first}, None


_cached_tags = lru_cache(_CACHED)(_read_tags)


def _tag_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
