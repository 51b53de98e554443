"""What people see of a reply while it grows and when it ends."""

import asyncio

import pytest

from adapters.slack.growing import Pace
from adapters.slack.reply import STOPPED, WORKING
from bot.answers import Answer, Answered, Media, MediaKind, Notice, Stopped
from bot.errors import StaleTurn, ThreadClosed
from bot.messages import MessageId
from tests.adapters.slack.replying import desk
from tests.support.slack import SaysError, Variants

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, UPDATE, STATUS = "chat.postMessage", "chat.update", "assistant.threads.setStatus"


async def test_an_answer_grows_in_the_thread_and_ends_with_its_buttons() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Hello ")
            growing = await place.shown(turn, "Hello")
            assert growing.is_streaming
            assert growing.button("Stop").value == turn.id
            grown.says("world.")
            await place.shown(turn, "Hello world.")
            await grown.reply.end(Answered(grown.draft.answer))

        [answer] = place.replies(turn)

    assert answer.text == "Hello world."
    assert answer.ts == growing.ts
    assert [(button.text, button.value) for button in answer.buttons] == [("Retry", turn.id), ("Reset", turn.id)]
    assert answer.metadata == {"event_type": "clew_answer", "event_payload": {"turn": turn.id, "part": 0}}


async def test_the_stream_is_told_for_whom_it_is_and_gets_only_what_is_new() -> None:
    async with desk() as place:
        turn = await place.asked(by="ben")
        async with place.answering(turn) as grown:
            for word in ("One ", "two ", "three"):
                grown.says(word)
                await place.shown(turn, grown.draft.answer.text.strip())
            await grown.reply.end(Answered(grown.draft.answer))

        [start] = place.slack.calls_of(START)
        assert start.args["recipient_user_id"] == place.slack.person("ben")
        assert start.args["recipient_team_id"] == place.slack.team_id
        assert [call.args["chunks"] for call in place.slack.calls_of(APPEND)] == [
            [{"type": "markdown_text", "text": " two"}],
            [{"type": "markdown_text", "text": " three"}],
        ]


async def test_an_answer_that_is_whole_at_once_is_one_post() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Yes.")
            await grown.reply.end(Answered(grown.draft.answer))

        [answer] = place.replies(turn)
        assert (answer.text, answer.edits) == ("Yes.", 0)
        assert not place.slack.calls_of(START)
        assert not place.slack.calls_of("conversations.replies"), "a fresh turn asks nothing first"
        assert place.slack.unfurls == []


async def test_the_thread_shows_at_once_that_work_goes_on_and_no_longer_when_it_is_done() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            await place.slack.until(lambda: place.slack.status("general", turn.thread.thread_id))
            assert not place.replies(turn)
            grown.says("Yes.")
            await grown.reply.end(Answered(grown.draft.answer))
        assert place.slack.status("general", turn.thread.thread_id) is None


async def test_the_status_is_there_as_long_as_thinking_takes_and_gone_when_there_is_no_answer() -> None:
    async with desk(speed=200) as place:
        turn = await place.asked()
        with pytest.raises(ValueError, match="the model broke"):
            async with place.answering(turn):
                await place.slack.received(STATUS, 3)
                assert place.slack.status("general", turn.thread.thread_id)
                raise ValueError("the model broke")
        assert place.slack.status("general", turn.thread.thread_id) is None
        first, second, *_ = place.slack.statuses
        assert 85 < second.at - first.at < 120


async def test_a_refused_status_is_asked_for_once_in_a_channel() -> None:
    async with desk() as place:
        place.slack.faults.arm(STATUS, SaysError("missing_scope"), times=None)
        for _ in range(2):
            turn = await place.asked()
            async with place.answering(turn) as grown:
                await place.shown(turn, WORKING)
                grown.says("Yes.")
                await place.shown(turn, "Yes.")
                await grown.reply.end(Answered(grown.draft.answer))
            assert [shown.text for shown in place.replies(turn)] == ["Yes."]
        assert len(place.slack.calls_of(STATUS)) == 1


async def test_a_direct_message_is_answered_at_its_top_level_where_a_message_says_that_work_goes_on() -> None:
    async with desk() as place:
        channel = place.slack.direct("ada")
        turn = await place.asked(channel=channel)
        async with place.answering(turn) as grown:
            growing = await place.shown(turn, WORKING, channel)
            assert growing.button("Stop").value == turn.id
            grown.says("Hello ")
            await place.shown(turn, "Hello", channel)
            grown.says("world.")
            await grown.reply.end(Answered(grown.draft.answer))

        [answer] = place.replies(turn, channel)
        assert (answer.text, answer.thread_ts) == ("Hello world.", None)
        assert answer.ts == growing.ts
        assert not place.slack.calls_of(START)


async def test_half_open_markdown_is_held_back_while_it_grows() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("This is **very")
            growing = await place.shown(turn, "This is")
            assert "**" not in growing.text
            grown.says(" important**.")
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text for shown in place.replies(turn)] == ["This is **very important**."]


async def test_code_that_grows_is_streamed_without_a_fence_that_would_close_it() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Look:\n\n```py\nx = 1\n")
            await place.shown(turn, "x = 1")
            grown.says("y = 2\n```\n\nDone.")
            await place.shown(turn, "y = 2\n```\n\nDone.")
            assert not place.slack.calls_of(UPDATE)
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text for shown in place.replies(turn)] == ["Look:\n\n```py\nx = 1\ny = 2\n```\n\nDone."]


async def test_a_stream_is_rolled_over_before_slack_ends_it_and_its_message_goes_on() -> None:
    async with desk(speed=200) as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Begun ")
            began = await place.shown(turn, "Begun")
            assert began.is_streaming
            rolled = await place.slack.until(lambda: next((s for s in place.replies(turn) if not s.is_streaming), None))
            assert rolled.text == "Begun"
            grown.says("and gone on.")
            growing = await place.shown(turn, "Begun and gone on.")
            assert growing.button("Stop").value == turn.id
            await grown.reply.end(Answered(grown.draft.answer))

        [start], [stop] = place.slack.calls_of(START), place.slack.calls_of(STOP)
        assert 235 < stop.at - start.at < 300
        assert stop.is_ok
        [answer] = place.replies(turn)
        assert (answer.text, answer.ts) == ("Begun and gone on.", began.ts)
        assert [button.text for button in answer.buttons] == ["Retry", "Reset"]


async def test_a_stream_is_rolled_over_even_while_the_answer_is_begun_again() -> None:
    async with desk(speed=200) as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Begun ")
            await place.shown(turn, "Begun")
            grown.draft.start_over()
            await place.slack.received(STOP, ok=True)
            grown.says("Another ")
            await place.shown(turn, "Another")
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text.strip() for shown in place.replies(turn)] == ["Another"]


async def test_a_stream_that_died_loses_no_word() -> None:
    async with desk(variants=Variants(stream_life=5)) as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Begun ")
            await place.shown(turn, "Begun")
            await place.slack.until(lambda: not place.replies(turn)[0].is_streaming)
            grown.says("and gone on.")
            await place.shown(turn, "Begun and gone on.")
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text for shown in place.replies(turn)] == ["Begun and gone on."]


async def test_slacks_own_stop_button_stops_the_turn_and_keeps_what_was_said() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("As far as this. ")
            growing = await place.shown(turn, "As far as this.")
            await place.slack.presses_stop("ada", growing.ts)
            grown.says("And ")
            async with asyncio.timeout(30):
                await place.was_stopped.wait()
            await grown.reply.end(Stopped(grown.draft.answer))
        assert place.stopped == [turn]
        [answer] = place.replies(turn)
        assert answer.text.strip() == "As far as this. And"
        assert [button.text for button in answer.buttons] == ["Retry", "Reset"]


@pytest.mark.parametrize("kind", ["channel", "group"])
async def test_where_streams_are_not_supported_a_post_is_edited(kind: str) -> None:
    async with desk(variants=Variants(streams_in=frozenset())) as place:
        channel = place.slack.channel("quiet", kind=kind)
        for _ in range(2):
            turn = await place.asked(channel=channel)
            async with place.answering(turn) as grown:
                grown.says("Hello ")
                growing = await place.shown(turn, "Hello", channel)
                assert (growing.stream, growing.button("Stop").value) == (None, turn.id)
                grown.says("world.")
                await place.shown(turn, "Hello world.", channel)
                await grown.reply.end(Answered(grown.draft.answer))
            assert [shown.text for shown in place.replies(turn, channel)] == ["Hello world."]
        assert len(place.slack.calls_of(START)) == 1, "the channel is remembered"


async def test_where_a_stream_takes_no_buttons_it_goes_without_them() -> None:
    async with desk() as place:
        place.slack.faults.arm(START, SaysError("invalid_chunks"), when=lambda call: "blocks" in str(call.args))
        for _ in range(2):
            turn = await place.asked()
            async with place.answering(turn) as grown:
                grown.says("Hello ")
                growing = await place.shown(turn, "Hello")
                assert growing.is_streaming
                assert not growing.buttons
                await grown.reply.end(Answered(grown.draft.answer))
            assert [button.text for button in place.replies(turn)[0].buttons] == ["Retry", "Reset"]
        assert len(place.slack.calls_of(START)) == 3


async def test_a_long_answer_stands_in_several_messages_and_only_the_last_has_buttons() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(40))
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says(text[:3000])
            await place.shown(turn, "Paragraph 2.")
            grown.says(text[3000:15000])
            await place.shown(turn, "Paragraph 21.")
            first, second = place.replies(turn)
            assert not first.buttons
            assert not first.is_streaming
            assert second.button("Stop")
            grown.says(text[15000:])
            await grown.reply.end(Answered(grown.draft.answer))

        answers = place.replies(turn)
        turn = await place.again(turn)

    assert "".join("".join(shown.text.split()) for shown in answers) == "".join(text.split())
    assert [[button.text for button in shown.buttons] for shown in answers] == [[], [], ["Retry", "Reset"]]
    assert [part.message_id for part in turn.parts] == [shown.ts for shown in answers]
    assert [len(shown.text) <= 12_000 for shown in answers] == [True] * 3


async def test_what_is_too_long_for_four_messages_is_a_file_as_well_and_the_last_line_says_so() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(100))
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says(text)
            await place.slack.until(lambda: len(place.replies(turn)) >= 4)
            await grown.reply.end(Answered(grown.draft.answer))
        *parts, file = place.replies(turn)

    assert len(parts) == 4
    assert "answer.md" in parts[-1].text.splitlines()[-1]
    assert [button.text for button in parts[-1].buttons] == ["Retry", "Reset"]
    assert [(shown.name, shown.data.decode()) for shown in file.files] == [("answer.md", text)]


async def test_where_files_are_refused_the_whole_of_a_long_answer_is_posted() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(100))
    async with desk() as place:
        place.slack.scopes.discard("files:write")
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says(text)
            await grown.reply.end(Answered(grown.draft.answer))
        shown = place.replies(turn)

    assert len(shown) > 4
    whole = "".join("".join(part.text.split()) for part in shown)
    assert whole.startswith("".join(text.split()))
    assert "uploads are refused" in shown[-1].text
    assert shown[-1].button("Retry")


async def test_what_the_model_made_stands_under_its_words_in_order() -> None:
    media = (Media(MediaKind.IMAGE, "image/png", b"png"), Media(MediaKind.AUDIO, "audio/mpeg", b"mp3"))
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            await grown.reply.end(Answered(Answer(text="Here.", media=media)))
            await grown.reply.end(Answered(Answer(text="Here.", media=media)))
        words, *files = place.replies(turn)

    assert words.text == "Here."
    assert [file.files[0].data for file in files] == [b"png", b"mp3"]
    assert [file.files[0].name for file in files] == ["image-1.png", "audio-2.mp3"]


async def test_a_picture_without_words_has_buttons_too() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            await grown.reply.end(Answered(Answer(media=(Media(MediaKind.IMAGE, "image/png", b"png"),))))
        words, file = place.replies(turn)
    assert words.button("Retry")
    assert file.files[0].data == b"png"


async def test_a_notice_is_the_only_message_whatever_was_shown_before() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(40))
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says(text)
            await place.slack.until(lambda: len(place.replies(turn)) >= 3)
        async with place.answering(turn) as grown:
            await grown.reply.end(Notice("Gemini is away. Please try again."))
        [notice] = place.replies(turn)
    assert notice.text == "Gemini is away. Please try again."
    assert not notice.buttons


async def test_an_answer_that_is_stopped_keeps_what_was_said() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("As far as this. ")
            await place.shown(turn, "As far as this.")
            await grown.reply.end(Stopped(grown.draft.answer))
        [answer] = place.replies(turn)
    assert answer.text.strip() == "As far as this."
    assert [button.text for button in answer.buttons] == ["Retry", "Reset"]


async def test_stopped_before_the_first_word_nothing_is_posted_and_the_status_goes() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            await place.slack.until(lambda: place.slack.status("general", turn.thread.thread_id))
            await grown.reply.end(Stopped(grown.draft.answer))
        assert not place.replies(turn)
        assert place.slack.status("general", turn.thread.thread_id) is None


async def test_stopped_where_only_a_sign_of_work_stood_it_says_so() -> None:
    async with desk() as place:
        channel = place.slack.direct("ada")
        turn = await place.asked(channel=channel)
        async with place.answering(turn) as grown:
            await place.shown(turn, WORKING, channel)
            await grown.reply.end(Stopped(grown.draft.answer))
        assert [shown.text for shown in place.replies(turn, channel)] == [STOPPED]


async def test_a_retried_answer_takes_the_old_ones_place_and_shows_nothing_of_it_meanwhile() -> None:
    long = "\n\n".join(f"Paragraph {number}. " + "word " * 120 for number in range(30))
    async with desk() as place:
        first = await place.begun(await place.asked())
        async with place.answering(first) as grown:
            grown.says(long)
            await grown.reply.end(Answered(grown.draft.answer))
        assert len(place.replies(first)) == 2
        await place.store.failed(first, notice="x", tell=False)
        await place.store.retry(first.thread, MessageId("retry-1"))
        claim = await place.store.claim(first.thread)
        assert claim is not None
        async with place.answering(claim.turn) as grown:
            [blank] = await place.slack.shown(
                "general", first.thread.thread_id, lambda seen: [shown.text for shown in seen] == [WORKING]
            )
            grown.says("Another ")
            await place.shown(first, "Another")
            grown.says("answer.")
            await grown.reply.end(Answered(grown.draft.answer))
        [answer] = place.replies(first)

    assert (answer.text, answer.ts) == ("Another answer.", blank.ts)
    assert answer.button("Retry").value == claim.turn.id
    assert answer.metadata is not None
    assert answer.metadata["event_payload"] == {"turn": claim.turn.id, "part": 0}


async def test_an_answer_that_the_model_began_again_replaces_what_was_shown() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("It was a ")
            await place.shown(turn, "It was a")
            grown.draft.start_over()
            grown.says("Something else. ")
            await place.shown(turn, "Something else.")
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text.strip() for shown in place.replies(turn)] == ["Something else."]


async def test_what_is_shown_already_is_not_edited_again() -> None:
    async with desk() as place:
        turn = await place.begun(await place.asked())
        async with place.answering(turn) as grown:
            grown.says("Yes.")
            await grown.reply.end(Answered(grown.draft.answer))
            calls = len(place.slack.calls)
            await grown.reply.end(Answered(grown.draft.answer))
        async with place.answering(await place.again(turn)) as again:
            await again.reply.end(Answered(grown.draft.answer))
        assert {call.method for call in place.slack.calls[calls:]} <= {STATUS}


async def test_an_answer_whose_message_somebody_deleted_is_posted_again() -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Hello ")
            growing = await place.shown(turn, "Hello")
            await place.slack.deletes(growing.ts)
            grown.says("world.")
            await grown.reply.end(Answered(grown.draft.answer))
        [answer] = place.replies(turn)
    assert answer.text == "Hello world."
    assert answer.ts != growing.ts


async def test_an_answer_that_can_no_longer_be_edited_is_posted_anew_in_its_place() -> None:
    async with desk(variants=Variants(streams_in=frozenset())) as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.says("Hello ")
            growing = await place.shown(turn, "Hello")
            place.slack.faults.arm(UPDATE, SaysError("edit_window_closed"), times=None)
            grown.says("world.")
            await grown.reply.end(Answered(grown.draft.answer))
        [answer] = place.replies(turn)
    assert answer.text == "Hello world."
    assert answer.ts != growing.ts


@pytest.mark.parametrize("method", [POST, UPDATE])
@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_a_form_that_slack_does_not_take_is_replaced_by_one_that_it_takes(method: str, code: str) -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            if method == UPDATE:
                grown.says("**Hello** ")
                await place.shown(turn, "Hello")
            place.slack.faults.arm(method, SaysError(code), times=2)
            grown.says("**world**.")
            await grown.reply.end(Answered(grown.draft.answer))
        [answer] = place.replies(turn)
    assert "world" in answer.text
    assert "**" not in answer.text
    assert answer.button("Retry")


async def test_nothing_a_model_says_pings_anybody_in_any_form() -> None:
    text = "<!channel> <!here> <@U0ADA00000> <!subteam^S1> " * 20
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            for piece in text.split(" "):
                grown.says(f"{piece} ")
            await place.slack.received(START, ok=True)
            place.slack.faults.arm(UPDATE, SaysError("invalid_blocks"), times=2)
            await grown.reply.end(Answered(grown.draft.answer))
        assert place.slack.pings == []


async def test_a_channel_that_is_closed_ends_the_reply_with_the_word_for_it() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.slack.set_channel("general", archived=True)
        with pytest.raises(ThreadClosed, match="is_archived"):
            async with place.answering(turn) as grown:
                grown.says("Hello ")
                await place.slack.received(START)
                await grown.reply.end(Answered(grown.draft.answer))


async def test_after_the_turn_has_ended_nothing_more_is_shown() -> None:
    async with desk() as place:
        turn = await place.asked()
        await place.store.failed(turn, notice="x", tell=False)
        async with place.answering(turn) as grown:
            grown.says("A ghost. ")
            with pytest.raises(StaleTurn):
                await grown.reply.end(Answered(grown.draft.answer))
        assert not place.replies(turn)


async def test_whoever_adds_to_the_draft_never_waits_for_slack() -> None:
    async with desk(speed=1) as place:
        turn = await place.asked()
        async with place.answering(turn, pace=Pace(first=0)) as grown:
            await place.slack.stop_listening()
            began = asyncio.get_running_loop().time()
            for number in range(1000):
                grown.says(f"word {number} ")
            assert asyncio.get_running_loop().time() - began < 0.5
            await place.slack.listen_again()
            await grown.reply.end(Answered(grown.draft.answer))
        assert [shown.text for shown in place.replies(turn)] == [grown.draft.answer.text.strip()]
