"""Discord from end to end: asked in a channel, a thread or directly, and answered there."""

from tests.adapters.discord.answering import is_whole, saying, words
from tests.support.discord import Kind, discord_server
from tests.support.discord_clew import clew_on
from tests.support.slack_clew import until_logged


async def test_a_mention_in_a_channel_is_answered_in_a_thread_named_after_it() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A ball of thread."))
        question = await discord.says("ada", "what is a clew?")

        shown = await discord.shown(question, is_whole)

        assert [words(message) for message in shown] == ["A ball of thread."]
        (thread,) = discord.threads()
        assert (thread.id, thread.name) == (question, "what is a clew?")
        assert discord.replies() == []


async def test_the_thread_goes_on_without_mentions() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A ball of thread."))
        clew.model.will(*saying("From Crete.", name="i2"))
        question = await discord.says("ada", "what is a clew?")
        await discord.shown(question, is_whole)

        await discord.says("ada", "where from?", channel=question, mention=False)

        shown = await discord.shown(question, whole=2)
        assert [words(message) for message in shown] == ["A ball of thread.", "From Crete."]


async def test_a_direct_message_needs_no_mention_and_no_thread() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Hello, Ada."))
        line = discord.direct("ada")

        await discord.says("ada", "hello", channel=line)

        (shown,) = await discord.shown(line)
        assert shown.text == "Hello, Ada."
        assert shown.reply_to is None


async def test_a_voice_channels_chat_is_answered_in_place_with_a_reply() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("Loud and clear."))
        room = discord.channel("talk", kind=Kind.VOICE)

        question = await discord.says("ada", "can you hear me?", channel=room)

        (shown,) = await discord.shown(room)
        assert (shown.text, shown.reply_to) == ("Loud and clear.", question)


async def test_asking_by_command_shows_the_question_and_answers_in_a_thread_under_it() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A ball of thread."))
        await discord.until(lambda: discord.commands)

        await discord.uses("ada", "ask", text="what is a clew?")

        (question,) = await discord.shown("general", lambda seen: bool(seen) and not seen[0].is_loading)
        assert question.text == "-# **Ada** asks\nwhat is a clew?"
        (answer,) = await discord.shown(question.id)
        assert words(answer) == "A ball of thread."


async def test_the_retry_button_has_the_answer_given_again_in_place() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*saying("A ball of thread."))
        clew.model.will(*saying("A ball of yarn.", name="i2"))
        async with until_logged("turn answered", by="bot.responder"):
            question = await discord.says("ada", "what is a clew?")
        (first,) = await discord.shown(question, is_whole)

        await discord.presses("ada", discord.button(first.id, "Retry"))

        (second,) = await discord.shown(question, lambda seen: is_whole(seen) and words(seen[-1]) == "A ball of yarn.")
        assert second.id == first.id


async def test_the_reset_command_makes_the_thread_start_afresh() -> None:
    async with discord_server() as discord, clew_on(discord) as clew:
        await discord.until(lambda: discord.commands)
        question = await discord.says("ada", "I am Ada")
        await discord.shown(question, is_whole)

        await discord.uses("ada", "reset", in_=question)
        (told,) = await discord.whispered("ada")
        await discord.says("ada", "who am I?", channel=question, mention=False)
        await discord.shown(question, whole=2)

        assert "afresh" in told.text
        assert [asked.after for asked in clew.model.asked] == [None, None]


async def test_only_the_last_answer_of_a_thread_has_a_retry_button() -> None:
    async with discord_server() as discord, clew_on(discord):
        question = await discord.says("ada", "what is a clew?")
        await discord.shown(question, is_whole)

        await discord.says("ada", "where from?", channel=question, mention=False)
        shown = await discord.shown(question, lambda seen: [one.buttons for one in seen] == [(), ("Retry",)])

        assert "answer 1" in shown[0].text
