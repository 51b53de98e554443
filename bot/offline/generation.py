"""From an order to an answer: the chain it stands on is read, the brain is asked, the telling begins."""

from collections.abc import Callable

from bot.offline.acting import Act, Acting
from bot.offline.answers import Plan, continued, plan, plan_of, signed
from bot.offline.arming import Faults
from bot.offline.bell import Tasks
from bot.offline.brain import Brain
from bot.offline.calling import check_results
from bot.offline.conversation import Conversation, Utterance, utterances
from bot.offline.faults import Fault
from bot.offline.interactions import Interaction, Interactions
from bot.offline.orders import Order
from bot.offline.research import Researcher
from bot.offline.telling import Sleep, Telling
from bot.offline.wire import JsonObject, Refused

_CONTINUATIONS = 1000  # that are remembered at once


class Generation:
    """Begins answers and keeps the running ones, so that they can be followed and cancelled."""

    def __init__(
        self,
        interactions: Interactions,
        *,
        tasks: Tasks,
        faults: Faults,
        brain: Brain,
        acting: Acting,
        researcher: Researcher,
        pace: float,
        sleep: Sleep,
        rest: float,
        lag: int,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._interactions = interactions
        self._tasks = tasks
        self._faults = faults
        self._brain = brain
        self._acting = acting
        self._researcher = researcher
        self._pace = pace
        self._rest = rest
        self._lag = lag
        self._sleep = sleep
        self._clock = clock
        self._new_id = new_id
        self._running: dict[str, Telling] = {}
        self._rests: dict[str, tuple[str | None, tuple[str, ...]]] = {}  # by token: whose it is, the text to come

    async def begin(self, order: Order, fault: Fault | None) -> Telling:
        """Create the interaction and let its answer be generated.

        Raises:
            Refused: the order goes on from something it cannot go on from.
        """
        answer = self._planned(order, fault)
        interaction = Interaction(
            id=f"v1_{self._new_id()}",
            owner=order.owner,
            input=order.input,
            created=self._clock(),
            previous=order.previous,
            stored=order.store,
            background=order.background,
        )
        if answer.continuation_token is not None:
            if len(self._rests) >= _CONTINUATIONS:
                self._rests.pop(next(iter(self._rests)))
            self._rests[answer.continuation_token] = (interaction.id if order.store else None, answer.rest)
        self._interactions.add(interaction)
        telling = Telling(interaction, answer, fault=fault, faults=self._faults)
        self._running[interaction.id] = telling
        work = self._generate(telling)
        if self._pace > 0 or telling.takes_time or order.background:
            self._tasks.start(work)
        else:
            await work  # which has nothing to wait for, so a task would only cost
        return telling

    def telling_of(self, interaction: Interaction) -> Telling:
        """The running telling of an interaction, or that of one which has ended, told again."""
        running = self._running.get(interaction.id)
        if running is not None:
            return running
        again = Telling(interaction, plan_of(interaction), fault=None, faults=self._faults)
        again.out, again.over = len(again.frames), True
        return again

    @property
    def at_work(self) -> list[str]:
        """What is being answered and would be paid for, whether anybody may still ask for it or not."""
        return [id_ for id_, telling in self._running.items() if not telling.halted]

    def cancel(self, interaction: Interaction) -> None:
        """End an interaction that is in progress; one in the background says for a while that it still is."""
        if not interaction.is_running:
            return
        if interaction.background and self._lag > 0:
            if interaction.looks is None:
                interaction.looks = self._lag
                self.telling_of(interaction).halt()
            return
        self._end(interaction)

    def so_far(self, interaction: Interaction) -> list[JsonObject]:
        """The steps that an interaction has taken, when somebody looks at it."""
        if not interaction.is_running or not interaction.background:
            return interaction.steps
        if interaction.looks == 0:
            self._end(interaction)
            return interaction.steps
        if interaction.looks is not None:
            interaction.looks -= 1
        return self.telling_of(interaction).steps_so_far

    def _end(self, interaction: Interaction) -> None:
        self.telling_of(interaction).cancel(self._interactions)
        self._running.pop(interaction.id, None)

    async def _generate(self, telling: Telling) -> None:
        rest = self._rest if "agent" in telling.interaction.owner else 0.0
        await telling.generate(self._interactions, pace=self._pace, sleep=self._sleep, rest=rest)
        if telling.over:
            self._running.pop(telling.interaction.id, None)

    def _planned(self, order: Order, fault: Fault | None) -> Plan:
        previous = None if order.previous is None else self._interactions.find(order.previous)
        token = self._new_id()
        if order.continuation_token is not None:
            owner, rest = self._rests.get(order.continuation_token, (None, ()))
            if not rest or owner != order.previous:
                raise Refused(400, "invalid_request", "the continuation token does not belong to this interaction")
            return continued(rest, input_length=0, token=token)
        if previous is not None and previous.status in {"in_progress", "failed", "cancelled"}:
            raise Refused(400, "failed_precondition", f"previous interaction {previous.id} is {previous.status}")
        check_results(previous.steps if previous is not None else (), order.input)
        earlier: list[Utterance] = []
        for interaction in self._interactions.chain(order.previous):
            earlier += interaction.said
        *sent, question = utterances(order.input) or [Utterance(by_person=True, texts=())]
        conversation = Conversation((*earlier, *sent), question, order.system_instruction)
        read = sum(len(text) for said in (*conversation.earlier, question) for text in said.texts)
        wish = question.text if "image" in order.owner.get("model", "") else None
        done = Act()
        if "agent" in order.owner:
            done = Act(self._researcher(conversation))
        elif wish is None:
            done = self._acting(conversation, order, token)
        used = done.used
        text = used.text if used.text is not None and not done.called else self._brain(conversation)
        answer = plan(text, fault=fault, input_length=read, token=token, wish=wish, used=used, called=done.called)
        return answer if order.store else signed(answer, token)
