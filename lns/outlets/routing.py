"""The topics that a delivery goes to. Pure but for what it remembers of retained messages."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from lns.delivery.outcome import Outgoing
from lns.outlets.broker import Message
from lns.outlets.templates import Template

NamesOf = Callable[[str], dict[str, str]]
"""The names that fill a topic template, of a device by its DevEUI."""

STATES = frozenset({"uplink", "measurements", "up"})
"""Events that tell how a device is now."""

TOPICS_KEPT = 100_000


class Routing:
    """Fills templates; `state` is a second topic, retained, for messages that tell how a device is now.

    A message that comes late, because it was sent again, does not take the place of a newer one on a state topic.
    """

    def __init__(self, names_of: NamesOf, event: Template, state: Template | None = None) -> None:
        self._names_of, self._event, self._state = names_of, event, state
        self._newest: OrderedDict[str, int] = OrderedDict()

    def __call__(self, one: Outgoing) -> list[Message]:
        """The message of each topic."""
        names = {**self._names_of(one.lane), "event": one.event}
        message = _message(self._event.filled(names), one)
        if self._state is None or one.event not in STATES or is_told_again(one):
            return [message]
        topic = self._state.filled(names)
        if self._newest.get(topic, 0) > one.seq:
            return [message]
        self._newest[topic] = one.seq
        self._newest.move_to_end(topic)
        if len(self._newest) > TOPICS_KEPT:
            self._newest.popitem(last=False)
        return [message, msgspec.structs.replace(message, topic=topic, retain=True)]


class TopicOfEvent:
    """A topic for each event, `*` for all others."""

    def __init__(self, topics: Mapping[str, str]) -> None:
        self._topics = topics

    def __call__(self, one: Outgoing) -> list[Message]:
        """The one message."""
        return [_message(self._topics.get(one.event) or self._topics["*"], one)]


def is_told_again(one: Outgoing) -> bool:
    """Whether it corrects an older message, or tells of a decode that failed: its id has a third part."""
    return one.id.count("_") > 1


def _message(topic: str, one: Outgoing) -> Message:
    return Message(topic, one.body, one.id, one.seq, one.lane, one.event, one.at_us)
