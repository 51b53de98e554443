"""Messages over REST: section 5 of the reference."""

from dataclasses import dataclass

from tests.support.discord.access import Access
from tests.support.discord.calls import Call
from tests.support.discord.channels import POSTS, WRITABLE, Channel
from tests.support.discord.drafts import Draft, check_nonce, read_draft
from tests.support.discord.files import FILE_LIMIT, read_attachments
from tests.support.discord.gateway import Gateway
from tests.support.discord.json_types import JsonObject
from tests.support.discord.limits import RateGate
from tests.support.discord.messages import Message, MessageType, Reference
from tests.support.discord.payloads import Payloads
from tests.support.discord.permissions import Permission
from tests.support.discord.refusal import Refused, invalid
from tests.support.discord.rest import NOTHING_TO_SAY, Answer, Route
from tests.support.discord.world import World, threadhood

P = Permission
A_MESSAGE = "/channels/{channel}/messages/{message}"
MESSAGES = "/channels/{channel}/messages"
REPLIABLE = frozenset(
    {MessageType.DEFAULT, MessageType.REPLY, MessageType.CHAT_INPUT_COMMAND, MessageType.CONTEXT_MENU_COMMAND}
)


@dataclass(slots=True)
class _Remembered:
    """The message a nonce made ([5.2])."""

    message: Message
    until: float


class Messages:
    """Posting, editing, deleting and reading."""

    def __init__(self, world: World, access: Access, payloads: Payloads, gateway: Gateway, gate: RateGate) -> None:
        self._world, self._access, self._payloads = world, access, payloads
        self._gateway, self._gate = gateway, gate
        self._nonces: dict[tuple[str, str], _Remembered] = {}  # by author and nonce, whatever the channel

    def routes(self) -> list[Route]:
        reaction = f"{A_MESSAGE}/reactions/{{emoji}}/@me"
        return [
            Route("GET", MESSAGES, self.history),
            Route("POST", MESSAGES, self.create),
            Route("GET", A_MESSAGE, self.get),
            Route("PATCH", A_MESSAGE, self.edit),
            Route("DELETE", A_MESSAGE, self.delete),
            Route("PUT", reaction, self.react),
            Route("DELETE", reaction, self.unreact),
            Route("POST", "/channels/{channel}/typing", self.type_in),
        ]

    # --- reading ------------------------------------------------------------------------------------

    def history(self, call: Call) -> Answer:
        """Newest first, whichever way it is asked for ([9.3])."""
        channel = self._access.channel(call)
        if channel.kind in POSTS:
            raise Refused(50024)
        limit = int(call.query.get("limit", "50"))
        if not 1 <= limit <= 100:
            raise invalid("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        if P.READ_MESSAGE_HISTORY not in self._world.rights(self._world.me.id, channel):
            return Answer([])  # [D message] no refusal: an empty list
        page = _page(list(channel.messages.values()), call.query, limit)
        return Answer([self.told(message) for message in page])

    def get(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        self._access.need(channel, P.READ_MESSAGE_HISTORY)
        return Answer(self.told(self._access.message(call, channel)))

    def told(self, message: Message) -> JsonObject:
        """[1] The content is hidden here too while the portal's switch is off."""
        whole = self._payloads.message(message)
        return whole if self._world.install.has_message_content else self._payloads.without_content(whole)

    # --- posting ------------------------------------------------------------------------------------

    async def create(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        self._may_post(channel)
        body, nonce = call.body, call.body.get("nonce")
        check_nonce(nonce)
        draft = self.draft(call, channel)
        if nonce is not None and body.get("enforce_nonce") and (known := self._known(str(nonce))) is not None:
            return Answer(self.told(known) | {"nonce": nonce})
        message = self._message(call, channel, draft)
        if nonce is not None:
            until = self._world.clock.now() + self._world.variants.nonce_window
            self._nonces[self._world.me.id, str(nonce)] = _Remembered(message, until)
        if self._world.variants.echo == "after":
            with self._gateway.after(call):
                self._world.post(message, draft.allowed)
        else:
            self._world.post(message, draft.allowed)
        await self._gateway.settled()
        return Answer(self.told(message))

    def draft(self, call: Call, channel: Channel, *, before: Message | None = None) -> Draft:
        """What the call wants said in the channel."""
        guild = self._world.guild_of(channel)
        if call.uploads:
            self._access.need(channel, P.ATTACH_FILES)
        files = read_attachments(
            call,
            channel=channel.id,
            new_id=self._world.ids.new,
            kept=before.attachments if before else (),
            limit=guild.upload_limit if guild else FILE_LIMIT,
        )
        draft = read_draft(call.body, files, before=before, trims=self._world.variants.trims)
        if P.EMBED_LINKS not in self._world.rights(self._world.me.id, channel):
            draft.embeds = []  # without a word
        self._world.files |= {file.id: file for file in files}
        return draft

    def _may_post(self, channel: Channel) -> None:
        if channel.kind not in WRITABLE:
            raise Refused(50008)
        if channel.is_dm:
            if not all(self._world.users[id_].takes_dms for id_ in channel.recipient_ids):
                raise Refused(50007)
            return
        # [1] SEND_MESSAGES has no effect inside threads
        self._access.need(channel, P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES)
        if channel.thread is None:
            return
        can_moderate = self._world.may(self._world.me.id, P.MANAGE_THREADS, channel)
        if channel.thread.is_locked and not can_moderate:
            raise Refused(160005 if self._world.variants.locked_post == "160005" else 50083)
        if channel.thread.is_archived and self._world.variants.archived_send == "50083":
            raise Refused(50083)

    def _known(self, nonce: str) -> Message | None:
        """The message that was made with this nonce a short while ago ([5.2])."""
        remembered = self._nonces.get((self._world.me.id, nonce))
        variants = self._world.variants
        if remembered is None or variants.same_nonce == "creates" or remembered.until < self._world.clock.now():
            return None
        message = remembered.message
        if self._world.message(message.channel_id, message.id) is message:
            return message
        if variants.deleted_nonce == "10008":
            raise Refused(10008)
        return None

    def _message(self, call: Call, channel: Channel, draft: Draft) -> Message:
        message = Message(
            id=self._world.ids.new(),
            channel_id=channel.id,
            guild_id=channel.guild_id,
            author=self._world.me,
            content="",
            at=self._world.clock.now(),
            nonce=call.body.get("nonce"),
            is_tts=bool(call.body.get("tts")),
            application_id=self._world.install.application_id,
        )
        draft.put_into(message)
        if (said := call.body.get("message_reference")) is not None:
            self._refer(message, channel, said)
        return message

    def _refer(self, message: Message, channel: Channel, said: JsonObject) -> None:
        """Make the message a reply ([1]: that needs READ_MESSAGE_HISTORY)."""
        if not self._world.may(self._world.me.id, P.READ_MESSAGE_HISTORY, channel):
            raise Refused(160002)
        if said.get("type"):
            raise NotImplementedError("the bot of the stand-in forwards nothing")
        other = channel.messages.get(str(said["message_id"]))
        if other is None:
            if said.get("fail_if_not_exists", True):
                raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return
        if other.type not in REPLIABLE:
            words = "Cannot reply to a system message"
            raise invalid("message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", words)
        message.type = MessageType.REPLY
        message.reference = Reference(channel.id, other.id, channel.guild_id)

    # --- changing -----------------------------------------------------------------------------------

    async def edit(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        message = self._access.message(call, channel)
        if channel.thread is not None and channel.thread.is_archived:
            raise Refused(50083)  # [3] editing in an archived thread fails
        if message.author.id != self._world.me.id:
            raise Refused(50005)
        self._gate.check_edit_of_old(channel.id, message.at)
        draft = self.draft(call, channel, before=message)
        self._world.edit(message, draft.put_into, draft.allowed)
        await self._gateway.settled()
        return Answer(self.told(message))

    def delete(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        message = self._access.message(call, channel)
        if channel.thread is not None and channel.thread.is_archived:
            raise Refused(50083)
        if message.author.id != self._world.me.id:
            self._access.need(channel, P.MANAGE_MESSAGES)
        self._world.delete(message)
        return NOTHING_TO_SAY

    def react(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        self._access.need(channel, P.READ_MESSAGE_HISTORY | P.ADD_REACTIONS)
        self._world.react(self._access.message(call, channel), call.params["emoji"], self._world.me.id)
        return NOTHING_TO_SAY

    def unreact(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        message = self._access.message(call, channel)
        self._world.react(message, call.params["emoji"], self._world.me.id, is_added=False)
        return NOTHING_TO_SAY

    def type_in(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        if not channel.is_dm:
            self._access.need(channel, P.SEND_MESSAGES_IN_THREADS if channel.is_thread else P.SEND_MESSAGES)
        if channel.thread is not None and threadhood(channel).is_archived:
            raise Refused(50083)
        self._world.type_in(channel, self._world.me.id)
        return NOTHING_TO_SAY


def _page(messages: list[Message], query: dict[str, str], limit: int) -> list[Message]:
    """A page of messages, newest first. *messages* are oldest first; `after` brings the ones closest to it."""
    if "around" in query:
        middle = int(query["around"])
        before = [message for message in messages if int(message.id) < middle][-(limit // 2) :]
        rest = [message for message in messages if int(message.id) >= middle]
        page = [*before, *rest[: limit - len(before)]]
    elif "after" in query:
        page = [message for message in messages if int(message.id) > int(query["after"])][:limit]
    elif "before" in query:
        page = [message for message in messages if int(message.id) < int(query["before"])][-limit:]
    else:
        page = messages[-limit:]
    return page[::-1]
