"""Takes every delivery to the app, again and again where Slack would: section 2 of the reference."""

from collections.abc import Sequence

from tests.support.slack.clock import Clock
from tests.support.slack.deliveries import Attempt, Delivery, Transport, Tried
from tests.support.slack.faults import Faults
from tests.support.slack.variants import Variants
from tests.support.slack.work import Bell, Tasks


class Courier:
    """Owns what is under way. `transport` may be exchanged while it runs; None is an app that was never set up."""

    def __init__(self, variants: Variants, faults: Faults, *, clock: Clock, bell: Bell, tasks: Tasks) -> None:
        self._variants, self._faults = variants, faults
        self._clock, self._bell, self._tasks = clock, bell, tasks
        self.transport: Transport | None = None
        self.deliveries: list[Delivery] = []

    def send(self, *deliveries: Delivery) -> None:
        """Hand these over, in this order; each is tried again by itself."""
        self.deliveries.extend(deliveries)
        self._tasks.start(self._send_in_order(deliveries))

    async def hand(self, delivery: Delivery) -> None:
        """Hand over a command or a click: tried once ([4]), since a person is waiting."""
        self.deliveries.append(delivery)
        self._end(delivery, await self._try(delivery, 0, ""))

    def again(self, delivery: Delivery) -> Delivery:
        """The same event once more: same event_id, another envelope."""
        twin = self._twin(delivery)
        self._tasks.start(self._deliver(twin))
        return twin

    @property
    def is_idle(self) -> bool:
        return all(delivery.outcome is not None for delivery in self.deliveries)

    async def _send_in_order(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if self._faults.events.loses():
                delivery.outcome = "lost"
                self._bell.ring()
                continue
            # Over a socket they leave one after the other without waiting for acknowledgements. Over HTTP two
            # connections could overtake each other, and the order is what a test wants to choose.
            self._tasks.start(self._deliver(delivery))
            if self._faults.events.doubles():
                self._tasks.start(self._deliver(self._twin(delivery)))
            if self.transport is not None and self.transport.may_reorder:
                await self._was_tried(delivery)

    async def _was_tried(self, delivery: Delivery) -> None:
        await self._bell.until(lambda: bool(delivery.attempts))

    def _twin(self, delivery: Delivery) -> Delivery:
        twin = Delivery(delivery.kind, delivery.name, delivery.payload, delivery.ts)
        self.deliveries.append(twin)
        return twin

    async def _deliver(self, delivery: Delivery) -> None:
        reason = ""
        for number in range(len(self._variants.retries) + 1):
            if number:
                await self._clock.sleep(self._variants.retries[number - 1])
            tried = await self._try(delivery, number, reason)
            if tried.failure is None or tried.is_final:
                break
            reason = tried.failure
        self._end(delivery, tried)

    async def _try(self, delivery: Delivery, number: int, reason: str) -> Tried:
        if self._faults.events.delay:
            await self._clock.sleep(self._faults.events.delay)
        at = self._clock.now()
        tried = await self.transport.attempt(delivery, number, reason) if self.transport else Tried("not set up")
        delivery.attempts.append(Attempt(number, at, tried.failure, tried.where))
        self._bell.ring()
        return tried

    def _end(self, delivery: Delivery, tried: Tried) -> None:
        delivery.answer = tried.answer
        delivery.outcome = "acknowledged" if tried.failure is None else "given up"
        self._bell.ring()
