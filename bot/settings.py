"""The settings as values: one frozen object with a group for each prefix of the variables that fill it.

Each group below holds the variables of one prefix, in the order in which `.env.example` lists them:
``settings.web.port`` is ``WEB_PORT``, and the bot's own settings begin with ``CLEW_``. `config` reads them.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot import spellings
from bot.limits import Limits
from bot.policy import Follow, Names, Policy

SYSTEM_PROMPT = (
    "You are Clew, an assistant who takes part in conversations in chat threads. Answer in the language you are "
    "spoken to in, as briefly as the question allows, in Markdown. Say so when you do not know something. When "
    "somebody wants a picture made or changed and you cannot do that, tell them to begin their message with "
    "`imagine:` and to say what it is to show."
)

Ids = Annotated[frozenset[str], BeforeValidator(spellings.ids)]
Cap = Annotated[int | None, BeforeValidator(spellings.cap)]
Seconds = Annotated[float, BeforeValidator(spellings.number("a number of seconds above 0", above=0, most=86_400))]


class _Group(BaseModel):
    # Values that are wrong may be secrets that landed in the wrong variable, so pydantic never gets to print one.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class GeminiSettings(_Group):
    """Who answers. Without a key it is the built-in offline model."""

    api_key: Annotated[SecretStr | None, BeforeValidator(spellings.secret())] = Field(
        None, description="key of the Gemini API; without one the built-in offline model answers"
    )
    model: Annotated[str, BeforeValidator(spellings.word)] = Field(
        "gemini-3.5-flash-lite", description="id of the model that answers"
    )
    fallback_models: Annotated[tuple[str, ...], BeforeValidator(spellings.words)] = Field(
        (), description="ids of models that answer, one after the other, when Gemini no longer knows the one before"
    )
    image_model: Annotated[str, BeforeValidator(spellings.word)] = Field(
        "gemini-3.1-flash-image", description="id of the model that makes a picture where one is asked for by command"
    )
    base_url: Annotated[str | None, BeforeValidator(spellings.base_url)] = Field(
        None, description="another endpoint that speaks the Interactions API, without a version"
    )
    api_version: Annotated[str, BeforeValidator(spellings.api_version)] = Field(
        "v1", description="version of the API, such as v1 or v1beta"
    )
    tier: Annotated[Literal["free", "paid"] | None, BeforeValidator(spellings.choice("free", "paid"))] = Field(
        None, description="free or paid: how long Gemini keeps what is said, for /privacy to tell"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.base_url is not None and self.api_key is None:
            raise ValueError(
                "GEMINI_BASE_URL is set and GEMINI_API_KEY is not; set the key that endpoint takes, or remove the URL."
            )
        return self


class SlackSettings(_Group):
    """The Slack app. It runs when its bot token is set: over Socket Mode with an app token, over HTTP without."""

    bot_token: Annotated[SecretStr | None, BeforeValidator(spellings.slack_token("xoxb-"))] = Field(
        None, description="the app's bot token (xoxb-...), from OAuth & Permissions"
    )
    app_token: Annotated[SecretStr | None, BeforeValidator(spellings.slack_token("xapp-"))] = Field(
        None, description="the app-level token (xapp-...) for Socket Mode, with the scope connections:write"
    )
    signing_secret: Annotated[SecretStr | None, BeforeValidator(spellings.secret())] = Field(
        None, description="what events over HTTP are signed with; used when there is no app token"
    )
    port: Annotated[int, BeforeValidator(spellings.port)] = Field(
        3000, description="port to take events over HTTP on, at /slack/events; 0 takes any free one"
    )
    api_url: Annotated[str, BeforeValidator(spellings.slack_api_url)] = Field(
        "https://slack.com/api/", description="where the Web API is; ends in /api/"
    )
    file_hosts: Annotated[frozenset[str], BeforeValidator(spellings.file_hosts)] = Field(
        frozenset({"files.slack.com"}), description="hosts that files may be fetched from, with the bot token"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.bot_token is None:
            for name, value in (("SLACK_APP_TOKEN", self.app_token), ("SLACK_SIGNING_SECRET", self.signing_secret)):
                if value is not None:
                    raise ValueError(
                        f"{name} is set and SLACK_BOT_TOKEN is not; set the bot token (xoxb-...) that your app shows "
                        f"under OAuth & Permissions, or remove {name}."
                    )
        elif self.app_token is None and self.signing_secret is None:
            raise ValueError(
                "SLACK_BOT_TOKEN is set, and neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET is; set SLACK_APP_TOKEN "
                "(xapp-...) for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP."
            )
        return self

    @property
    def is_set(self) -> bool:
        """Whether there is a Slack app to run."""
        return self.bot_token is not None


class DiscordSettings(_Group):
    """The Discord application. It runs when its token is set."""

    token: Annotated[SecretStr | None, BeforeValidator(spellings.secret())] = Field(
        None, description="the application's bot token, from the page Bot of the developer portal"
    )
    api_url: Annotated[str, BeforeValidator(spellings.discord_api_url)] = Field(
        "https://discord.com/api/v10", description="where the REST API is; ends in /api/v10"
    )
    gateway_url: Annotated[str, BeforeValidator(spellings.discord_gateway_url)] = Field(
        "wss://gateway.discord.gg/", description="where the gateway is"
    )
    file_hosts: Annotated[frozenset[str], BeforeValidator(spellings.file_hosts)] = Field(
        frozenset({"cdn.discordapp.com", "media.discordapp.net"}), description="hosts that files may be fetched from"
    )

    @property
    def is_set(self) -> bool:
        """Whether there is a Discord application to run."""
        return self.token is not None


class DatabaseSettings(_Group):
    """Where threads and turns are kept."""

    url: Annotated[str, BeforeValidator(spellings.database_url)] = Field(
        "sqlite:///clew.db",
        description="sqlite:///relative/path or sqlite:////absolute/path",
    )

    @property
    def path(self) -> Path:
        """The SQLite file; other files of the bot stand beside it."""
        return Path(self.url.removeprefix("sqlite:///"))


class WebSettings(_Group):
    """The page, and the health and the metrics that are served from the same place."""

    host: Annotated[str, BeforeValidator(spellings.host)] = Field(
        "127.0.0.1", description="address to listen on; any other than loopback needs WEB_TOKEN"
    )
    port: Annotated[int, BeforeValidator(spellings.port)] = Field(
        8080, description="port to listen on; 0 takes any free one"
    )
    token: Annotated[SecretStr | None, BeforeValidator(spellings.secret(least=16))] = Field(
        None, description="what people type in to use the page, at least 16 characters"
    )
    enabled: Annotated[bool, BeforeValidator(spellings.switch)] = Field(
        True, description="whether there is a page; health and metrics are served either way"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not spellings.is_loopback(self.host) and self.token is None:
            raise ValueError(
                f"WEB_HOST is {self.host!r}, which other machines can reach, and WEB_TOKEN is not set; "
                "set WEB_TOKEN to at least 16 characters, or WEB_HOST to 127.0.0.1."
            )
        return self


class BotSettings(_Group):
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
    private_channels: Ids = Field(frozenset(), description="channels of whose conversations Gemini keeps nothing")
    retention_days: Annotated[int | None, BeforeValidator(spellings.days)] = Field(
        None, description="days after which a thread in which nothing happened is forgotten; 0: never"
    )
    daily_turns_per_person: Cap = Field(None, description="turns one person may have in a day (UTC); 0: no cap")
    daily_turns: Cap = Field(None, description="turns everybody together may have in a day (UTC); 0: no cap")
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


class Settings(BaseSettings):
    """Everything an operator can set; see `read_settings`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    gemini: GeminiSettings = GeminiSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    bot: BotSettings = BotSettings()

    @model_validator(mode="after")
    def _serves_somebody(self) -> Self:
        # A bot that nobody can reach is a mistake.
        if not (self.web.enabled or self.slack.is_set or self.discord.is_set):
            raise ValueError(
                "WEB_ENABLED is false and no platform is set up, so there is nothing to serve; set WEB_ENABLED=true, "
                "or SLACK_BOT_TOKEN and what goes with it, or DISCORD_TOKEN."
            )
        return self

    @property
    def limits(self) -> Limits:
        """How long things may take."""
        return Limits(
            refused=self.bot.refused_seconds,
            silent=self.bot.silent_seconds,
            turn=self.bot.turn_seconds,
            chain_turns=self.bot.chain_turns,
            chain_tokens=self.bot.chain_tokens,
        )

    @property
    def policy(self) -> Policy:
        """Who may ask, and how much."""
        return Policy(
            installations=Names(self.bot.allow_installations, self.bot.block_installations),
            channels=Names(self.bot.allow_channels, self.bot.block_channels),
            people=Names(self.bot.allow_people, self.bot.block_people),
            daily_turns_per_person=self.bot.daily_turns_per_person,
            daily_turns=self.bot.daily_turns,
            follow=self.bot.follow,
            guests=self.bot.guests,
            outsiders=self.bot.outsiders,
            private=self.bot.private,
            private_channels=self.bot.private_channels,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be seen, for the log to look out for."""
        slack = self.slack
        slacks = (slack.bot_token, slack.app_token, slack.signing_secret)
        found = (self.gemini.api_key, *slacks, self.discord.token, self.web.token)
        return tuple(secret.get_secret_value() for secret in found if secret is not None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The usual sources would take a variable called WEB or BOT, which somebody else may have set, for a group.
        return (init_settings,)
