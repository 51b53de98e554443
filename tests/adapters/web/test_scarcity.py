"""More than can be read, and the longest question that can be asked."""

import asyncio
from dataclasses import replace

from adapters.web.events import LONGEST_TEXT, PERSON
from bot.errors import ContextLost
from bot.messages import Message, MessageId
from tests.support.core import PATIENT
from tests.support.page import named, served_page
from tests.support.scripted import answer


async def test_of_a_thread_of_ten_thousand_messages_the_last_thousand_are_told_again_and_the_thread_is_told() -> None:
    said = [Message(named(), MessageId(f"said-{at:05}"), PERSON, f"said-{at}.", float(at)) for at in range(9_999)]
    async with served_page(limits=replace(PATIENT, chain_turns=0)) as page:  # so that no summary is told instead
        await asyncio.gather(*map(page.store.add, said))
        await page.says("that was all")
        await page.turns(200)  # of fifty messages each, which is the most
        page.model.will(ContextLost("404"))
        page.model.will(*answer("again", "About this and that."))
        await page.says("what was that about?")
        turns = await page.turns(201)

    history = page.model.asked[-1].history
    assert "I have read its last 1000 messages only" in (turns[-1].parts[-1].text or "")
    assert "that was all" in history
    assert "said-9998." in history
    assert "said-9100." in history
    assert "said-8999." not in history


async def test_a_question_of_forty_thousand_characters_reaches_the_model_whole() -> None:
    text = "".join(f"{number:07} " for number in range(5000)).strip()
    async with served_page() as page:
        page.model.will(*answer("i1", "I have counted."))
        assert (await page.says(text))[0] == 202
        await page.turns(1)
        # And one that is longer than the page takes is refused in words.
        status, told = await page.says("x" * (LONGEST_TEXT + 1))
        turns = await page.turns(1)

    assert page.model.asked[0].text == text
    assert status == 400
    assert "100,000 characters" in told["error"]
    assert len(turns) == 1
