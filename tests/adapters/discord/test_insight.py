"""Discord: forget, history, usage and privacy, by command and told in a thread."""

import pytest

from bot.commands import Command
from bot.messages import InteractionId
from bot.policy import Names, Policy
from tests.adapters.discord.answering import is_whole
from tests.adapters.discord.interacting import answered, commanded
from tests.support.discord import DiscordServer, Shown, discord_server
from tests.support.scripted import answer

WORDS = {
    Command.FORGET: "I forget this thread",
    Command.HISTORY: "Asked:",
    Command.USAGE: "1 answer, 3 tokens in, 5 out",
    Command.PRIVACY: "Gemini",
}
"""What each of the commands says."""


async def told(discord: DiscordServer, words: str, *, to: str = "ada") -> list[Shown]:
    """What somebody was told alone, once it has these words in it."""

    def found() -> list[Shown] | None:
        seen = [one for one in discord.whispers(to) if not one.is_loading]
        return seen if any(words in one.text for one in seen) else None

    return await discord.until(found)


@pytest.mark.parametrize("place", ["thread", "direct"])
@pytest.mark.parametrize("command", list(WORDS))
async def test_each_is_to_be_had_where_the_conversation_is_and_told_to_its_giver_alone(
    command: Command, place: str
) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        where = discord.direct("ada") if place == "direct" else await discord.opens_thread("ben", "lunch")
        await answered(discord, "what is a clew?", channel=where)
        await discord.uses("ada", command.value, in_=where)
        await told(discord, WORDS[command])

        assert len(clew.model.asked) == 1


@pytest.mark.parametrize("command", list(WORDS))
async def test_in_a_channel_there_is_what_needs_no_conversation(command: Command) -> None:
    async with discord_server() as discord, commanded(discord):
        await answered(discord, "what is a clew?")
        await discord.uses("ada", command.value)
        holds_none = command in {Command.FORGET, Command.HISTORY}

        assert await told(discord, "this channel holds no conversation" if holds_none else WORDS[command])


TOLD_TO_ALL = {**WORDS, Command.USAGE: "is for you alone"}
"""What each of them says where everybody reads it."""


@pytest.mark.parametrize("command", list(TOLD_TO_ALL))
async def test_told_in_the_thread_each_is_answered_there_once_in_small_print(command: Command) -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        where = await discord.opens_thread("ben", "lunch")
        await answered(discord, "what is a clew?", channel=where)
        discord.faults.events.arm("double")
        number = await discord.says("ada", command.value, channel=where)
        await discord.shown(where, lambda seen: any(TOLD_TO_ALL[command] in one.text for one in seen))
        await discord.delivered()

        said = [one for one in discord.replies(where) if one.text.startswith("-# ")]
        assert [one.reply_to for one in said if TOLD_TO_ALL[command] in one.text] == [number]
        assert not any(WORDS[Command.USAGE] in one.text for one in said)
        assert len(clew.model.asked) == 1


@pytest.mark.parametrize("command", list(WORDS))
async def test_who_may_not_use_the_bot_is_told_nothing(command: Command) -> None:
    async with discord_server() as discord:
        blocked = Policy(people=Names(blocked=frozenset({discord.person("ben")})))
        async with commanded(discord, policy=blocked):
            where = await discord.opens_thread("ben", "lunch")
            await answered(discord, "what is a clew?", channel=where)
            await discord.uses("ben", command.value, in_=where)
            (refused,) = await told(discord, "", to="ben")

            assert WORDS[command] not in refused.text


async def test_brackets_of_a_question_are_shown_as_they_were_typed() -> None:
    async with discord_server() as discord, commanded(discord):
        where = discord.direct("ada")
        await answered(discord, "what is f(x) in [1, 2]?", channel=where)
        await discord.uses("ada", "history", in_=where)

        assert await told(discord, "Asked: [Ada] what is f(x) in [1, 2]?")


async def test_a_history_told_in_a_thread_says_when_it_is_cut() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        where = discord.direct("ada")
        for number in range(1, 10):
            clew.model.will(*answer(f"i{number}", f"{number} is the answer, {'and so on ' * 12}"))
            await answered(discord, f"question {number}: {'what of it ' * 10}", channel=where)
            await discord.shown(where, lambda seen, number=number: len(seen) == number and is_whole(seen))  # type: ignore[misc]
        await discord.says("ada", "/history", channel=where)
        await discord.shown(where, lambda seen: "Asked:" in seen[-1].text)

        said = discord.replies(where)[-1].text
        assert said.endswith("The slash command of the same name shows more, to you alone.")
        assert len(said) <= 2000


async def test_a_history_too_long_for_one_message_is_told_in_several_all_of_them_to_the_asker_alone() -> None:
    async with discord_server() as discord, commanded(discord) as clew:
        where = discord.direct("ada")
        for number in range(1, 15):
            clew.model.will(*answer(f"i{number}", f"{number} is the answer, {'and so on ' * 12}"))
            await answered(discord, f"question {number}: {'what of it ' * 10}", channel=where)
            await discord.shown(where, lambda seen, number=number: len(seen) == number and is_whole(seen))  # type: ignore[misc]
        del clew.model.kept[InteractionId("i3")]
        await discord.uses("ada", "history", in_=where)
        said = await told(discord, "question 1:")

        assert len(said) > 1
        assert all(len(one.text) <= 2000 for one in said)
        assert sum(one.text.count("Asked:") for one in said) == 13
        assert "Gemini does not know it any more" in "".join(one.text for one in said)
