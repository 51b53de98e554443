"""What answers cost."""

from datetime import date
from decimal import Decimal

import pytest

from bot.messages import Usage
from bot.ports import Spent
from bot.prices import PRICES, READ_ON, bill, cost, price_of

MILLION = 1_000_000
DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("usage", "dollars"),
    [
        pytest.param(Usage(input_tokens=MILLION), "1.50", id="what is given"),
        pytest.param(Usage(output_tokens=MILLION), "7.50", id="what is made"),
        pytest.param(Usage(thought_tokens=MILLION), "7.50", id="thoughts are paid like answers"),
        pytest.param(Usage(tool_tokens=MILLION), "1.50", id="what tools bring is given"),
        pytest.param(Usage(input_tokens=MILLION, cached_tokens=MILLION), "0.075", id="what was found again"),
        pytest.param(Usage(input_tokens=MILLION, cached_tokens=400_000), "0.93", id="a part of it found again"),
        pytest.param(Usage(cached_tokens=MILLION), "0", id="nothing is found again that was not given"),
        pytest.param(Usage(input_tokens=MILLION, searches=1000), "15.50", id="searches are paid one by one"),
        pytest.param(Usage(), "0", id="nothing"),
    ],
)
def test_each_kind_of_token_has_its_price(usage: Usage, dollars: str) -> None:
    price = price_of("gemini-4-hydrogen", DAY)

    assert price is not None
    assert cost(usage, price) == Decimal(dollars)


def test_where_no_price_of_cached_tokens_is_known_they_are_counted_in_full() -> None:
    price = price_of("gemini-3.5-flash-lite", DAY)

    assert price is not None
    assert cost(Usage(input_tokens=MILLION, cached_tokens=MILLION), price) == Decimal("0.30")


@pytest.mark.parametrize(
    ("on", "given"),
    [(date(2026, 11, 30), "2.00"), (date(2026, 12, 1), "4.00"), (date(2030, 1, 1), "4.00")],
)
def test_a_price_that_ends_is_followed_by_the_next(on: date, given: str) -> None:
    price = price_of("gemini-4-carbon", on)

    assert price is not None
    assert price.given == Decimal(given)


def test_an_unknown_model_has_no_price() -> None:
    assert price_of("gemini-99-unobtainium", DAY) is None


def test_every_model_has_a_price_without_an_end_and_the_table_says_when_it_was_read() -> None:
    assert all(prices[-1].until is None for prices in PRICES.values())
    assert all(
        price.until is not None and price.until >= READ_ON for prices in PRICES.values() for price in prices[:-1]
    )


def test_a_bill_sums_what_has_a_price_and_names_what_has_none() -> None:
    million = Usage(input_tokens=MILLION)
    told = bill(
        [
            Spent(date(2026, 11, 30), "slack:ada", "gemini-4-carbon", 1, million),
            Spent(date(2026, 12, 1), "slack:ada", "gemini-4-carbon", 2, million),
            Spent(date(2026, 12, 1), "slack:ada", "unobtainium", 3, million),
        ]
    )

    assert told.turns == 6
    assert told.usage.input_tokens == 3 * MILLION
    assert told.dollars == Decimal("6.00")
    assert told.unpriced == ("unobtainium",)
