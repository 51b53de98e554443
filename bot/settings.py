"""The settings as values: one frozen object with a group for each prefix of the variables that fill it.

Each group below holds the variables of one prefix, in the order in which `.env.example` lists them:
``settings.web.port`` is ``WEB_PORT``, and the bot's own settings begin with ``CLEW_``. `config` reads them.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot import spellings
from bot.bot_settings import BotSettings, Group
from bot.limits import Limits
from bot.policy import Names, Policy
from bot.tools import Toolbox


class GeminiSettings(Group):
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
    research_agent: Annotated[str, BeforeValidator(spellings.word)] = Field(
        "deep-research-preview-04-2026",
        description="id of the agent that researches where that is asked for; off",
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

    @property
    def agent(self) -> str | None:
        """The agent that researches; None where research is switched off."""
        return None if self.research_agent.lower() == "off" else self.research_agent

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.base_url is not None and self.api_key is None:
            raise ValueError(
                "GEMINI_BASE_URL is set and GEMINI_API_KEY is not; set the key that endpoint takes, or remove the URL."
            )
        return self


class SlackSettings(Group):
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


class DiscordSettings(Group):
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


class DatabaseSettings(Group):
    """Where threads and turns are kept."""

    url: Annotated[str, BeforeValidator(spellings.database_url)] = Field(
        "sqlite:///clew.db",
        description="sqlite:///relative/path or sqlite:////absolute/path",
    )

    @property
    def path(self) -> Path:
        """The SQLite file; other files of the bot stand beside it."""
        return Path(self.url.removeprefix("sqlite:///"))


class WebSettings(Group):
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
            long=self.bot.background_seconds if self.bot.background == "auto" else None,
            run=self.bot.research_minutes * 60,
            poll=self.bot.research_poll_seconds,
            warning=self.bot.research_wait_seconds,
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
    def toolbox(self) -> Toolbox:
        """The tools that are offered with questions."""
        file = self.bot.tools_file
        described = {tool.get("type") for tool in file.everywhere}  # with more than a name, so those go along
        named = tuple({"type": name} for name in self.bot.tools if name not in described)
        return Toolbox(
            everywhere=(*named, *file.everywhere), search_channels=self.bot.search_channels, channels=file.channels
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be seen, for the log to look out for."""
        slack = self.slack
        slacks = (slack.bot_token, slack.app_token, slack.signing_secret)
        found = (self.gemini.api_key, *slacks, self.discord.token, self.web.token)
        tokens = (secret.get_secret_value() for secret in found if secret is not None)
        return (*tokens, *self.bot.tools_file.secrets)

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
