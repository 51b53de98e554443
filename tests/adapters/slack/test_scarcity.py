"""More than can be read, and the longest question that can be asked."""

from tests.support.scripted import answer
from tests.support.slack import slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on


async def test_of_a_thread_of_ten_thousand_messages_the_last_hundred_are_read_and_the_thread_is_told() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        root = await slack.says("ada", "0", mention=False)
        for number in range(1, 10_000):  # before the bot is there, so nothing of it is handed over
            await slack.says("ada", f"said-{number}", thread_ts=root, mention=False)
        async with clew_on(slack) as clew:
            await slack.says("ben", "what was that about?", thread_ts=root)
            shown = await slack.shown("general", root, whole=1)

        assert "I have read its last 100 messages only" in shown[-1].text
        (asked,) = clew.model.asked
        assert "said-9999" in asked.history
        assert "said-9900" in asked.history
        assert "said-9899" not in asked.history
        pages = slack.calls_of("conversations.replies")
        assert len(pages) <= 12, "a thousand at a time, and what the buttons of the last answer are looked for with"


async def test_a_question_of_forty_thousand_characters_reaches_the_model_whole() -> None:
    text = "".join(f"{number:07} " for number in range(5000))[:39_990]
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(*answer("i1", "I have counted."))
        ts = await slack.says("ada", text)
        await slack.shown("general", ts, whole=1)

    assert text.strip() in clew.model.asked[0].text
