"""Money: exact decimals with an ISO 4217 currency; amounts in different currencies are never added."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from opsgraph.kernel.refusals import Invalid
from opsgraph.kernel.text import shown

LARGEST = Decimal(10) ** 18
FRACTION_DIGITS = 18
CENT = Decimal("0.01")

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""

CURRENCIES = frozenset(_CODES.split())
"""The active codes of ISO 4217 that people are billed in (no metals, bonds or test codes)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def rounded(self) -> "Money":
        """The same to two decimals, halves away from zero."""
        return Money(to_cents(self.amount), self.currency)


def to_cents(amount: Decimal) -> Decimal:
    """Round to two decimals, halves away from zero; what rounds to zero has no sign."""
    with localcontext(prec=60):
        return amount.quantize(CENT, rounding=ROUND_HALF_UP) + 0


def add_up(amounts: Iterable[Money]) -> list[Money]:
    """Add per currency, exactly, ordered by currency code; never across currencies."""
    totals: dict[str, Decimal] = {}
    with localcontext(prec=60):
        for money in amounts:
            totals[money.currency] = totals.get(money.currency, Decimal(0)) + money.amount
    return [Money(total, currency) for currency, total in sorted(totals.items())]


def amount_of(value: Decimal, field: str = "amount") -> Decimal:
    """Accept a finite amount under 10^18 in size with at most 18 decimals.

    Raises:
        Invalid: NaN, an infinity, too large or too fine to be kept exactly; names the field.
    """
    if not value.is_finite():
        raise Invalid(f"{field} is {value}; it takes a finite number", field)
    if value.copy_abs() >= LARGEST:
        raise Invalid(f"{field} is too large; amounts are under 10^18", field)
    if (decimals := _decimals(value)) > FRACTION_DIGITS:
        raise Invalid(f"{field} has {decimals} decimals; at most {FRACTION_DIGITS} are kept", field)
    return value


def currency_of(value: str, field: str = "currency") -> str:
    """Accept an ISO 4217 code in any case and give it in capitals.

    Raises:
        Invalid: not a code of ISO 4217; names the field.
    """
    code = value.upper()
    if not value.isascii() or code not in CURRENCIES:  # some letters are ASCII in capitals only
        raise Invalid(f"{field} {shown(value)} is not an ISO 4217 currency code such as USD", field)
    return code


def _decimals(value: Decimal) -> int:
    """How many decimals a finite number has that are not trailing zeros; below zero for 10, 100 and so on."""
    digits = "".join(map(str, value.as_tuple().digits))
    return 0 if value.is_zero() else len(digits.rstrip("0")) - len(digits) - int(value.as_tuple().exponent)
