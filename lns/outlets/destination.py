"""A message broker as the destination of deliveries that are kept in the delivery log.

A delivery is kept with its device and event; its topic is made of them when it is sent.
"""

import asyncio
from collections.abc import Callable, Sequence

from lns.delivery.outcome import Outcome, Outgoing, Verdict
from lns.outlets.broker import Broker, Failure, Message

Route = Callable[[Outgoing], list[Message]]
"""The broker's messages of a delivery, one for each topic it goes to."""

_DELIVERED = Outcome(verdict=Verdict.DELIVERED)


class BrokerDestination:
    """Sends through `broker`, one call at a time: what makes it fast is a batch, not more calls at once."""

    def __init__(self, broker: Broker, route: Route) -> None:
        self._broker, self._route = broker, route
        self._turn = asyncio.Lock()

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
            failures = iter(await self._broker.deliver([message for sent in routed for message in sent]))
            return [_outcome([(message, next(failures)) for message in sent]) for sent in routed]


def _outcome(ends: Sequence[tuple[Message, Failure | None]]) -> Outcome:
    """A delivery has arrived when all its messages have; one that cannot ends it."""
    failed = [(message, failure) for message, failure in ends if failure is not None]
    if not failed:
        return _DELIVERED
    message, failure = next((one for one in failed if one[1].final), failed[0])
    verdict = Verdict.REFUSED if failure.final else Verdict.RETRY
    return Outcome(verdict=verdict, error=f"{failure.reason}: {failure.text}", request=message.topic)
