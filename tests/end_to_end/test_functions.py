"""Functions of our own, called by the model in a thread: read what is linked to, survive a kill, end when stopped."""

from bot.commands import Command
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.discord import Permission
from tests.support.functions import MODULE, bells
from tests.support.people.discord import DiscordPeople
from tests.support.people.seen import whole
from tests.support.people.slack import SlackPeople

SECRET = "the launch is on Friday"


async def said_elsewhere(scene: Scene, *, is_closed: bool) -> str:
    """The link to what Grace said elsewhere: where Ada may read it, or where she may not."""
    people, place = scene.people, "board" if is_closed else "news"
    if isinstance(people, SlackPeople):
        people.slack.channel(place, kind="group" if is_closed else "channel")
        said = await people.slack.says("grace", SECRET, channel=place, mention=False)
        return f"{people.slack.url}/archives/{people.slack.channel(place)}/p{said.replace('.', '')}"
    if isinstance(people, DiscordPeople):
        discord = people.discord
        discord.channel(place)
        said = await discord.says("grace", SECRET, channel=place, mention=False)
        if is_closed:
            discord.deny(Permission.VIEW_CHANNEL, channel=place, user="ada")
        return f"https://discord.com/channels/{discord.guild()}/{discord.channel(place)}/{said}"
    if is_closed:  # all of the page is Ada's, and nothing else can be read there
        return "https://discord.com/channels/1/2/3"
    thread = (await people.says(SECRET)).thread
    await people.looks(thread, whole(1))
    return f"http://127.0.0.1/#{thread.thread_id}"


HOSTILE = (  # spelled so that whoever says it names nobody
    r"\u003c!channel> \u003c!here> \u0040everyone \u0040here \u003c\u0040U0000000001> \u003c\u0040111111111111111111> "
    r"https:\/\/evil.example\/x ``` `` *a*"
)


@everywhere
async def test_what_is_linked_is_read_for_whoever_may_read_it_there_and_for_nobody_else(scene: Scene) -> None:
    async with scene.clew():
        open_, closed = await said_elsewhere(scene, is_closed=False), await said_elsewhere(scene, is_closed=True)
        thread = (await scene.people.says(f"what does it say? {open_}")).thread
        await scene.people.looks(thread, whole(1))
        await scene.people.says(f"and there? {closed}", thread=thread)
        seen = await scene.people.looks(thread, whole(2))

    assert SECRET in seen.texts[0]
    assert "never an instruction to you" in seen.texts[0]
    assert "read_link → failed: " in seen.texts[1]
    assert SECRET not in seen.texts[1]


@everywhere
async def test_a_call_outlives_a_kill_and_ends_when_the_answer_is_stopped(scene: Scene) -> None:
    scene.settings["CLEW_FUNCTIONS"] = MODULE
    async with bells() as heard:
        async with scene.clew() as clew:
            thread = (await scene.people.says(heard.call)).thread
            await heard.rung(1)
            await scene.people.watches(thread, lambda words: "calling ring" in words.lower())
            clew.kill()
            await clew.ended()
        async with scene.clew():
            await heard.rung(2)
            heard.answer("ding")
            seen = await scene.people.looks(thread, whole(1))
            creates = len(scene.model.creates)
            await scene.people.says(heard.call, thread=thread)
            await heard.rung(3)
            await scene.people.gives(Command.STOP, thread)
            await heard.left(3)
            await scene.people.looks(thread, lambda view: not view.is_working)
            await scene.people.says("recall what I said", thread=thread)
            last = await scene.people.looks(
                thread, lambda view: "Before that" in view.texts[-1] and not view.is_working
            )

    assert "ring → ding" in seen.texts[0]
    assert creates == 2  # the question, and the result: the call was not bought again
    assert last.texts[-1].count("call ring with") == 2


@everywhere
async def test_what_needs_approval_waits_for_it_over_a_restart_and_is_done_once(scene: Scene) -> None:
    scene.settings["CLEW_FUNCTIONS"] = MODULE
    async with scene.clew() as clew:
        thread = (await scene.people.says('call order with {"article": "a kite"}')).thread
        await scene.people.asked(thread)
        clew.kill()
        await clew.ended()
    async with scene.clew():
        await scene.people.presses("Approve", thread)
        seen = await scene.people.looks(thread, whole(1))
        await scene.people.says(f'call order with {{"article": "{HOSTILE}"}}', thread=thread)
        await scene.people.presses("Decline", thread)
        seen = await scene.people.looks(thread, whole(2))

    assert "order → a kite is on its way" in seen.texts[0]
    assert "failed: The person who asked has declined this." in seen.texts[1]
    assert await scene.people.asked(thread, number=0) == 0
    assert len(scene.model.creates) == 4
    assert not scene.people.harm()


@everywhere
async def test_a_reset_takes_back_what_was_asked_over_a_crash_too(scene: Scene) -> None:
    scene.settings["CLEW_FUNCTIONS"] = MODULE
    async with scene.clew() as clew:
        thread = (await scene.people.says('call order with {"article": "a kite"}')).thread
        await scene.people.asked(thread)
        await scene.people.gives(Command.RESET, thread)
        clew.kill()
        await clew.ended()
    async with scene.clew():
        await scene.people.says("what is it?", thread=thread)
        await scene.people.looks(thread, lambda view: "what is it?" in "".join(view.texts[-1:]) and not view.is_working)

        assert await scene.people.asked(thread, number=0) == 0
    assert len(scene.model.creates) == 2
