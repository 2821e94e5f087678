"""A message broker as the destination of deliveries that are kept in the delivery log.

A delivery is kept with its device and event; its topic is made of them when it is sent.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from lns import metrics
from lns.delivery.outcome import Outcome, Outgoing, Verdict
from lns.outlets.broker import Broker, End, Failure, Message, Unrouted

_logger = logging.getLogger(__name__)

Route = Callable[[Outgoing], list[Message]]
"""The broker's messages of a delivery, one for each topic it goes to."""

_DELIVERED = Outcome(verdict=Verdict.DELIVERED)


WARN_S = 60.0


class BrokerDestination:
    """Sends through `broker`, one call at a time: what makes it fast is a batch, not more calls at once.

    `label` is what metrics know the outlet by.
    """

    def __init__(self, broker: Broker, route: Route, label: str) -> None:
        self._broker, self._route, self._label = broker, route, label
        self._turn = asyncio.Lock()
        self._warned_s = -WARN_S

    async def open(self) -> None:
        """Make ready, without waiting for the broker."""
        await self._broker.open()

    async def close(self) -> None:
        """Close the connection."""
        await self._broker.close()

    async def deliver(self, messages: Sequence[Outgoing]) -> list[Outcome]:
        """Try once to send `messages`; one outcome for each, in their order."""
        async with self._turn:
            routed = [self._route(one) for one in messages]
            sent = [message for several in routed for message in several]
            ends = await self._broker.deliver(sent)
        self._tell_unrouted(sent, ends)
        if not any(ends):
            return [_DELIVERED] * len(messages)
        pairs = zip(sent, ends, strict=True)
        return [_outcome([next(pairs) for _ in several]) for several in routed]

    def _tell_unrouted(self, sent: Sequence[Message], ends: Sequence[End]) -> None:
        unrouted = [(message, end) for message, end in zip(sent, ends, strict=True) if isinstance(end, Unrouted)]
        if not unrouted:
            return
        metrics.outlet_unrouted.inc(self._label, n=len(unrouted))
        now_s = asyncio.get_running_loop().time()
        if now_s - self._warned_s >= WARN_S:
            self._warned_s = now_s
            message, end = unrouted[0]
            _logger.warning("outlet %s: a message to %s is lost: %s", self._label, message.topic, end.text)


def _outcome(ends: Sequence[tuple[Message, End]]) -> Outcome:
    """A delivery has arrived when all its messages have; one that cannot ends it."""
    failed = [(message, end) for message, end in ends if isinstance(end, Failure)]
    if failed:
        message, failure = next((one for one in failed if one[1].final), failed[0])
        verdict = Verdict.REFUSED if failure.final else Verdict.RETRY
        return Outcome(verdict=verdict, error=f"{failure.reason}: {failure.text}", request=message.topic)
    for message, end in ends:
        if isinstance(end, Unrouted):
            return Outcome(verdict=Verdict.DELIVERED, request=message.topic, response=end.text)
    return _DELIVERED
