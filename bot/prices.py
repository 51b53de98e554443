"""What answers cost: one table, read from Google's price list on the day it names.

In US dollars for a million tokens, for paid keys, without taxes and without what is neither counted in tokens nor a
search: pictures, and places on maps. https://ai.google.dev/gemini-api/docs/pricing
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from bot.messages import Usage
from bot.ports import Spent

READ_ON: Final = date(2026, 11, 22)
"""When the table was compared with the price list."""

_MILLION = 1_000_000
_SEARCH = Decimal("0.014")  # a query to Google Search, on all models of the table; the first ones of a month are free


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, and one search, in US dollars."""

    given: Decimal  # to the model: questions, what tools brought
    made: Decimal  # by the model: answers and thoughts
    cached: Decimal | None = None  # given before and found again; None where it is not known, and counted in full
    until: date | None = None  # the last day on which it holds
    search: Decimal = _SEARCH  # each query


def _price(given: str, made: str, cached: str | None = None, *, until: date | None = None) -> Price:
    return Price(Decimal(given), Decimal(made), None if cached is None else Decimal(cached), until)


_CARBON = (_price("2.00", "10.00", until=date(2026, 11, 30)), _price("4.00", "20.00"))

PRICES: Mapping[str, tuple[Price, ...]] = MappingProxyType(
    {
        "gemini-3.1-flash-lite": (_price("0.25", "1.50"),),
        "gemini-3.5-flash-lite": (_price("0.30", "2.50"),),
        "gemini-3.8-flash": (_price("0.75", "3.75", until=date(2026, 12, 31)), _price("1.50", "7.50")),
        "gemini-4-hydrogen": (_price("1.50", "7.50", "0.075"),),
        "gemini-4-carbon": _CARBON,
        "gemini-4-argon": _CARBON,
    }
)
"""The prices of each model that is sold by the token, those that end first before those that follow."""


def price_of(model: str, on: date) -> Price | None:
    """The price of a model on a day; None when the table has none."""
    return next((price for price in PRICES.get(model, ()) if price.until is None or on <= price.until), None)


def cost(usage: Usage, price: Price) -> Decimal:
    """What an answer cost in US dollars. Cached tokens are among those given; thoughts are paid like answers."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    given = usage.input_tokens - cached + usage.tool_tokens
    made = usage.output_tokens + usage.thought_tokens
    of_cached = price.given if price.cached is None else price.cached
    tokens = (given * price.given + cached * of_cached + made * price.made) / _MILLION
    return tokens + usage.searches * price.search


@dataclass(frozen=True, slots=True)
class Bill:
    """What several days, people or models come to."""

    turns: int
    usage: Usage
    dollars: Decimal  # of those that have a price
    unpriced: tuple[str, ...] = ()  # models that have none


def bill(spent: Iterable[Spent]) -> Bill:
    """Everything of *spent* together."""
    turns, usage, dollars, unpriced = 0, Usage(), Decimal(), set[str]()
    for one in spent:
        turns, usage = turns + one.turns, usage + one.usage
        price = price_of(one.model, one.day)
        if price is None:
            unpriced.add(one.model)
        else:
            dollars += cost(one.usage, price)
    return Bill(turns, usage, dollars, tuple(sorted(unpriced)))
