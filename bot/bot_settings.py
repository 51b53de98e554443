"""The settings of the bot's own behaviour: the variables that begin with ``CLEW_``, in the order of `.env.example`."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot import spellings, tool_settings
from bot.policy import Follow

SYSTEM_PROMPT = (
    "You are Clew, an assistant who takes part in conversations in chat threads. Answer in the language you are "
    "spoken to in, as briefly as the question allows, in Markdown. Say so when you do not know something. When "
    "somebody wants a picture made or changed and you cannot do that, tell them to begin their message with "
    "`imagine:` and to say what it is to show."
)

Ids = Annotated[frozenset[str], BeforeValidator(spellings.ids)]
Channels = Annotated[frozenset[str], BeforeValidator(spellings.channels)]
Cap = Annotated[int | None, BeforeValidator(spellings.cap)]
Seconds = Annotated[float, BeforeValidator(spellings.number("a number of seconds above 0", above=0, most=86_400))]


class Group(BaseModel):
    """The variables of one prefix."""

    # Values that are wrong may be secrets that landed in the wrong variable, so pydantic never gets to print one.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BotSettings(Group):
    """The bot's own behaviour."""

    system_prompt: Annotated[str, BeforeValidator(str.strip)] = Field(
        SYSTEM_PROMPT, description="what the model is told about itself, with every turn"
    )
    follow: Annotated[Follow, BeforeValidator(spellings.choice(*Follow))] = Field(
        Follow.SMART,
        description="threads that need no mention: smart, those begun by addressing the bot; always, those it was "
        "ever addressed in; mention, none",
    )
    guests: Annotated[bool, BeforeValidator(spellings.on_or_off)] = Field(
        False, description="whether guests of a workspace are served"
    )
    outsiders: Annotated[bool, BeforeValidator(spellings.on_or_off)] = Field(
        False, description="whether people of other organisations are served, in channels shared with them"
    )
    allow_installations: Ids = Field(
        frozenset(), description="workspaces and servers to serve, dm for Discord's direct messages; empty: all"
    )
    allow_channels: Ids = Field(frozenset(), description="channels to serve; empty: all")
    allow_people: Ids = Field(frozenset(), description="people to serve; empty: everybody")
    block_installations: Ids = Field(frozenset(), description="workspaces and servers never to serve")
    block_channels: Ids = Field(frozenset(), description="channels never to serve")
    block_people: Ids = Field(frozenset(), description="people never to serve")
    private: Annotated[bool, BeforeValidator(spellings.on_or_off)] = Field(
        False, description="whether Gemini keeps nothing of any conversation; they are kept here and sent whole"
    )
    private_channels: Channels = Field(frozenset(), description="channels of whose conversations Gemini keeps nothing")
    retention_days: Annotated[int | None, BeforeValidator(spellings.days)] = Field(
        None, description="days after which a thread in which nothing happened is forgotten; 0: never"
    )
    daily_turns_per_person: Cap = Field(None, description="turns one person may have in a day (UTC); 0: no cap")
    daily_turns: Cap = Field(None, description="turns everybody together may have in a day (UTC); 0: no cap")
    daily_research: Annotated[
        int, BeforeValidator(spellings.whole("a whole number of researches, or 0 for none at all", least=0, most=10**6))
    ] = Field(5, description="researches everybody together may begin in a day (UTC); 0: none at all")
    research_minutes: Annotated[
        float, BeforeValidator(spellings.number("a number of minutes above 0, at most 1440", above=0, most=1440))
    ] = Field(60.0, description="minutes after which what runs in the background is given up and cancelled")
    research_wait_seconds: Annotated[
        float, BeforeValidator(spellings.number("a number of seconds, 0 or more", least=0, most=3600))
    ] = Field(10.0, description="seconds between the words on what research costs and its beginning, to stop it in")
    research_poll_seconds: Seconds = Field(10.0, description="seconds between two looks at what runs in the background")
    background: Annotated[Literal["auto", "never"], BeforeValidator(spellings.choice("auto", "never"))] = Field(
        "auto", description="auto: an answer that breaks after it was long in coming is asked for in the background"
    )
    background_seconds: Seconds = Field(45.0, description="seconds after which an answer counts as long in coming")
    concurrency: Annotated[
        int, BeforeValidator(spellings.whole("a whole number from 1 to 100000", least=1, most=100_000))
    ] = Field(1000, description="threads answered at the same time")
    drain_seconds: Annotated[
        float, BeforeValidator(spellings.number("a number of seconds, 0 or more", least=0, most=86_400))
    ] = Field(8.0, description="seconds that running turns are given to finish when the bot is stopped")
    turn_seconds: Seconds = Field(300.0, description="seconds one attempt at an answer may take")
    refused_seconds: Seconds = Field(20.0, description="seconds of refusals by the model before a notice says so")
    silent_seconds: Seconds = Field(60.0, description="seconds of silence after which an answer counts as broken")
    inline_mb: Annotated[
        int, BeforeValidator(spellings.whole("a whole number of megabytes from 1 to 70", least=1, most=70))
    ] = Field(15, description="megabytes of files that one question may carry")
    upload_mb: Annotated[
        int, BeforeValidator(spellings.whole("a whole number of megabytes from 1 to 2000", least=1, most=2000))
    ] = Field(200, description="megabytes of one file; what one question cannot carry is uploaded to Gemini before it")
    chain_tokens: Annotated[int, BeforeValidator(spellings.or_never("tokens", least=10_000))] = Field(
        200_000, description="tokens of a thread at Gemini after which it goes on from a summary; 0: never"
    )
    chain_turns: Annotated[int, BeforeValidator(spellings.or_never("turns", least=2))] = Field(
        100, description="turns of a thread at Gemini after which it goes on from a summary; 0: never"
    )
    links: Annotated[bool, BeforeValidator(spellings.on_or_off)] = Field(
        False, description="whether public links to pictures, PDFs and YouTube are given to Gemini to open"
    )
    tools: Annotated[tuple[str, ...], BeforeValidator(tool_settings.tool_names)] = Field(
        ("url_context",), description="tools of Gemini's that are offered everywhere, with commas between them; or none"
    )
    search_channels: Channels = Field(frozenset(), description="channels in which Google Search is offered, too")
    tools_file: Annotated[tool_settings.ToolsFile, BeforeValidator(tool_settings.tools_file)] = Field(
        tool_settings.ToolsFile(),
        description="a TOML file with more tools, everywhere and by channel",
        exclude=True,
        repr=False,
    )
    read_links: Annotated[bool, BeforeValidator(spellings.on_or_off)] = Field(
        True,
        description="whether the model may read the thread or message behind a link, as far as whoever asks may read "
        "it on that platform",
    )
    functions: Annotated[tuple[str, ...], BeforeValidator(spellings.words)] = Field(
        (), description="Python modules whose functions, marked with bot.functions.function, the model may call"
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(spellings.choice("text", "json"))] = Field(
        "text", description="text for people, json for machines"
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        BeforeValidator(spellings.choice("debug", "info", "warning", "error")),
    ] = Field("info", description="the least important lines to write: debug, info, warning or error")
