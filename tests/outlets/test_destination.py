"""A broker behind the delivery log."""

import logging
from collections.abc import Sequence

import pytest

from lns import metrics
from lns.delivery.outcome import Outcome, Outgoing, Verdict
from lns.outlets.broker import End, Failure, Message, Unrouted
from lns.outlets.destination import BrokerDestination
from lns.outlets.routing import Routing, TopicOfEvent
from lns.outlets.templates import Template

LATE = Failure("timeout", "late")
LARGE = Failure("message_too_large", "9 bytes, at most 8 fit", final=True)
KNOWN = ("dev_eui", "event")


class Paper:
    """A broker that writes down what it took; `answers` are what it says to the next calls."""

    def __init__(self, *answers: list[End]) -> None:
        self.messages: list[Message] = []
        self._answers = list(answers)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def deliver(self, messages: Sequence[Message]) -> list[End]:
        self.messages += messages
        return self._answers.pop(0) if self._answers else [None] * len(messages)


def routing(state: str = "") -> Routing:
    return Routing(lambda eui: {"dev_eui": eui}, Template("x/{dev_eui}/{event}", KNOWN), Template(state, KNOWN))


def uplinks(count: int) -> list[Outgoing]:
    return [Outgoing(f"uplink_{n}", n, f"device-{n}", "uplink", b"{}", 17) for n in range(1, count + 1)]


async def test_each_message_has_its_topic_and_its_outcome():
    paper = Paper([None, LATE, LARGE])
    destination = BrokerDestination(paper, TopicOfEvent({"uplink": "up", "*": "other"}), "1/x")
    await destination.open()
    outcomes = await destination.deliver([*uplinks(2), Outgoing("join_3", 3, "device-3", "join", b"{}")])
    await destination.close()
    assert [message.topic for message in paper.messages] == ["up", "up", "other"]
    assert paper.messages[0] == Message("up", b"{}", "uplink_1", 1, "device-1", "uplink", 17)
    assert outcomes == [
        Outcome(verdict=Verdict.DELIVERED),
        Outcome(verdict=Verdict.RETRY, error="timeout: late", request="up"),
        Outcome(verdict=Verdict.REFUSED, error="message_too_large: 9 bytes, at most 8 fit", request="other"),
    ]


async def test_a_delivery_of_two_topics_has_arrived_when_both_have():
    paper = Paper([None, None, None, LATE, LATE, LARGE])
    outcomes = await BrokerDestination(paper, routing("state/{dev_eui}"), "1/x").deliver(uplinks(3))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED, Verdict.RETRY, Verdict.REFUSED]
    assert [outcome.request for outcome in outcomes] == ["", "state/device-2", "state/device-3"]


async def test_what_nobody_gets_is_delivered_counted_and_said_once(caplog: pytest.LogCaptureFixture):
    nobody = Unrouted("nobody is there")
    paper = Paper([nobody, None], [nobody, LATE])
    destination = BrokerDestination(paper, TopicOfEvent({"*": "up"}), "1/unrouted")
    caplog.set_level(logging.WARNING, "lns.outlets.destination")
    first, second = await destination.deliver(uplinks(2))
    assert first == Outcome(verdict=Verdict.DELIVERED, request="up", response="nobody is there")
    assert second == Outcome(verdict=Verdict.DELIVERED)
    again, late = await destination.deliver(uplinks(2))
    assert (again, late.verdict) == (first, Verdict.RETRY)
    assert metrics.outlet_unrouted.values["1/unrouted",] == 2
    assert caplog.messages == ["outlet 1/unrouted: a message to up is lost: nobody is there"]
