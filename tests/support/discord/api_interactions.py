"""How the app answers interactions: the first answer, its edits, and follow-ups ([4], [9.3])."""

from collections.abc import Iterator

from tests.support.discord.calls import Call
from tests.support.discord.drafts import Draft, read_draft
from tests.support.discord.events import Events
from tests.support.discord.files import FILE_LIMIT, read_attachments
from tests.support.discord.intents import Intent
from tests.support.discord.interactions import Deed, Interaction, Interactions
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Flag, Message, MessageType, Reference
from tests.support.discord.payloads import Payloads
from tests.support.discord.refusal import Refused, invalid
from tests.support.discord.rest import NOTHING_TO_SAY, Answer, Route
from tests.support.discord.world import World

SAY, THINK, WAIT, CHANGE = 4, 5, 6, 7
TYPES = {1: MessageType.CHAT_INPUT_COMMAND, 3: MessageType.CONTEXT_MENU_COMMAND}  # by type of the command


class Answering:
    """Routes that need no bot token: whoever has the interaction's own may answer it."""

    def __init__(self, world: World, payloads: Payloads, interactions: Interactions, events: Events) -> None:
        self._world, self._payloads = world, payloads
        self._interactions, self._events = interactions, events

    def routes(self) -> Iterator[Route]:
        hook = "/webhooks/{webhook}/{token}"
        yield Route("POST", "/interactions/{interaction}/{token}/callback", self.answer, is_open=True)
        yield Route("POST", hook, self.follow_up, is_open=True)
        for message in ("@original", "{message}"):
            yield Route("GET", f"{hook}/messages/{message}", self.read, is_open=True)
            yield Route("PATCH", f"{hook}/messages/{message}", self.edit, is_open=True)
            yield Route("DELETE", f"{hook}/messages/{message}", self.delete, is_open=True)

    # --- the first answer -----------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        interaction = self._interactions.unanswered(call.params["interaction"], call.params["token"])
        self._must_be_open(interaction)
        kind, said = call.body.get("type"), call.body.get("data") or {}
        is_press = interaction.kind == Deed.COMPONENT
        if kind == SAY:
            interaction.original = self._say(interaction, call, said, after=interaction.source if is_press else None)
        elif kind == THINK:
            interaction.original = self._think(interaction, said)
        elif kind == CHANGE and is_press and interaction.original is not None:
            self._change(interaction.original, call, said)
        elif kind != WAIT or not is_press:
            raise invalid("type", "BASE_TYPE_CHOICES", f"{kind} is no answer to this interaction.")
        interaction.answered_with = kind
        self._world.bell.ring()
        if call.query.get("with_response", "").lower() not in {"1", "true"}:
            return NOTHING_TO_SAY
        return Answer(self._response(interaction))

    def _think(self, interaction: Interaction, said: JsonObject) -> Message:
        """Show "Clew is thinking..."; [4] the deferral accepts no flag but the one for their eyes only."""
        is_ephemeral = Flag.EPHEMERAL in Flag(said.get("flags", 0))
        message = self._blank(interaction, is_ephemeral=is_ephemeral)
        message.flags |= Flag.LOADING
        return self._post(message, Draft())

    def _response(self, interaction: Interaction) -> JsonObject:
        told: JsonObject = {"id": interaction.id, "type": int(interaction.kind)}
        resource: JsonObject = {"type": interaction.answered_with}
        if (original := interaction.original) is not None:
            told["response_message_id"] = original.id
            told["response_message_loading"] = Flag.LOADING in original.flags
            told["response_message_ephemeral"] = original.is_ephemeral
            if interaction.answered_with != WAIT:
                resource["message"] = self._payloads.message(original)
        return {"interaction": told, "resource": resource}

    # --- afterwards -----------------------------------------------------------------------------

    def follow_up(self, call: Call) -> Answer:
        """One more message. There is no nonce: the same call again is another message ([4])."""
        interaction = self._answered(call)
        original = interaction.original
        if interaction.is_thinking and original is not None:  # the first one takes the place of the "thinking"
            self._change(original, call, call.body)
            return Answer(self._payloads.message(original))
        most = self._interactions.most_followups
        if most is not None and len(interaction.followups) >= most:
            raise Refused(40094)
        message = self._say(interaction, call, call.body, after=original)
        interaction.followups.append(message)
        return Answer(self._payloads.message(message))

    def read(self, call: Call) -> Answer:
        return Answer(self._payloads.message(self._named(self._answered(call), call)))

    def edit(self, call: Call) -> Answer:
        message = self._named(self._answered(call), call)
        self._change(message, call, call.body)
        return Answer(self._payloads.message(message))

    def delete(self, call: Call) -> Answer:
        interaction = self._answered(call)
        message = self._named(interaction, call)
        self._world.delete(message)
        self._tell_of(message, "MESSAGE_DELETE")
        if message is interaction.original:
            interaction.is_original_deleted = True
        else:
            interaction.followups.remove(message)
        return NOTHING_TO_SAY

    def _answered(self, call: Call) -> Interaction:
        interaction = self._interactions.answered(call.params["webhook"], call.params["token"])
        self._must_be_open(interaction)
        return interaction

    def _must_be_open(self, interaction: Interaction) -> None:
        channel = self._world.channels.get(interaction.channel.id)
        if channel is None:
            raise Refused(10003)
        if channel.thread is not None and channel.thread.is_archived:  # [8] closed between the two answers
            raise Refused(50083)

    def _named(self, interaction: Interaction, call: Call) -> Message:
        """The message a call names; without an id the first answer."""
        wanted = call.params.get("message")
        own = [message for message in (interaction.original, *interaction.followups) if message is not None]
        found = [message for message in own if wanted in {None, message.id}]
        channel = self._world.channels[interaction.channel.id]
        if not found or not (found[0].id in channel.messages or found[0] in channel.ephemerals):
            raise Refused(10008)
        return found[0]

    # --- messages -------------------------------------------------------------------------------

    def _say(self, interaction: Interaction, call: Call, said: JsonObject, *, after: Message | None) -> Message:
        is_ephemeral = Flag.EPHEMERAL in Flag(said.get("flags") or 0)
        message = self._blank(interaction, is_ephemeral=is_ephemeral, after=after)
        draft = self._draft(message, call, said, is_new=True)
        kept = message.flags
        draft.put_into(message)
        message.flags |= kept
        return self._post(message, draft)

    def _change(self, message: Message, call: Call, said: JsonObject) -> None:
        """Edit a message of the interaction. What was only "thinking" is new to everybody, and not edited."""
        draft = self._draft(message, call, said, is_new=False)
        if Flag.LOADING in message.flags:
            draft.flags &= ~Flag.LOADING
            self._world.complete(message, draft.put_into, draft.allowed)
        else:
            self._world.edit(message, draft.put_into, draft.allowed)
        self._tell_of(message, "MESSAGE_UPDATE")

    def _draft(self, message: Message, call: Call, said: JsonObject, *, is_new: bool) -> Draft:
        guild = self._world.guilds.get(message.guild_id or "")
        files = read_attachments(
            call,
            channel=message.channel_id,
            new_id=self._world.ids.new,
            kept=message.attachments,
            limit=guild.upload_limit if guild else FILE_LIMIT,
            said=said,
            is_ephemeral=message.is_ephemeral,
        )
        draft = read_draft(said, files, before=None if is_new else message, trims=self._world.variants.trims)
        self._world.files |= {file.id: file for file in files}
        return draft

    def _blank(self, interaction: Interaction, *, is_ephemeral: bool, after: Message | None = None) -> Message:
        """A message of the app that says who it was for and what they did."""
        channel, install = interaction.channel, self._world.install
        about = {
            "id": interaction.id,
            "type": int(interaction.kind),
            "user": interaction.person.as_json(),
            "authorizing_integration_owners": {"0": channel.guild_id or "0"},
        }
        return Message(
            id=self._world.ids.new(),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            author=self._world.me,
            content="",
            at=self._world.clock.now(),
            type=MessageType.REPLY if after is not None else TYPES.get(interaction.command_type, MessageType.DEFAULT),
            flags=Flag.EPHEMERAL if is_ephemeral else Flag(0),
            reference=None if after is None else Reference(channel.id, after.id, channel.guild_id),
            webhook_id=install.application_id,
            application_id=install.application_id,
            ephemeral_for=interaction.person.id if is_ephemeral else None,
            more={"interaction_metadata": about},
        )

    def _post(self, message: Message, draft: Draft) -> Message:
        self._world.post(message, draft.allowed)
        self._tell_of(message, "MESSAGE_CREATE")
        return message

    def _tell_of(self, message: Message, name: str) -> None:
        """What one person sees comes to the app as if it were direct: without its guild ([D events])."""
        if message.is_ephemeral:
            told = self._payloads.message(message)
            if name == "MESSAGE_DELETE":
                told = {"id": message.id, "channel_id": message.channel_id}
            self._events.happened(name, told, guild_id=None, intents=Intent.DIRECT_MESSAGES)
