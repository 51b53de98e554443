"""How long things may take, and how long they may grow, before something is done about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, and counts where the name says so. The defaults are the product's; tests compress them."""

    refused: float = 20.0  # a model that takes nothing in for so long gets a notice
    silent: float = 60.0  # an accepted answer that tells nothing for so long counts as broken
    turn: float = 300.0  # a whole turn, waiting for a broken answer's interaction included
    first_pause: float = 0.5  # before the first retry or poll; doubles up to
    longest_pause: float = 5.0
    catch_up: float = 30.0  # a question waits so long for what was said before it and not told
    takes: int = 8  # how often a turn is asked at the most, crashes included
    chain_turns: int = 100  # answered turns after which a chain is condensed; 0: never
    long: float | None = 45.0  # an answer that breaks after that is asked for in the background; None: never
    run: float = 3600.0  # what runs in the background, from its beginning
    poll: float = 10.0  # between two looks at that
    warning: float = 10.0  # between the words on what research costs and its beginning
    chain_tokens: int = 200_000  # likewise, tokens that it has
