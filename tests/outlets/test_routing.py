"""The topics of deliveries."""

import pytest

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Replay, Stored
from lns.outlets import routing
from lns.outlets.formats.chirpstack import ChirpStack
from lns.outlets.routing import Routing, TopicOfEvent
from lns.outlets.templates import Template
from tests.outlets.formats.golden import heard, made
from tests.outlets.samples import failed
from tests.outlets.sending import describe, messages

KNOWN = ("dev_eui", "event")


def topics(route: Routing, one: Outgoing) -> list[tuple[str, bool]]:
    return [(message.topic, message.retain) for message in route(one)]


def with_state() -> Routing:
    names = lambda eui: {"dev_eui": eui}  # noqa: E731
    return Routing(names, Template("{dev_eui}/{event}", KNOWN), Template("state/{dev_eui}", KNOWN))


def uplink(seq: int, device: str = "a") -> Outgoing:
    return Outgoing(f"uplink_{seq}", seq, device, "uplink", b"{}")


def test_how_a_device_is_now_is_retained_on_a_second_topic():
    assert topics(with_state(), uplink(1)) == [("a/uplink", False), ("state/a", True)]
    assert topics(with_state(), Outgoing("join_1", 1, "a", "join", b"{}")) == [("a/join", False)]


def test_a_message_that_comes_late_does_not_take_the_place_of_a_newer_one():
    route = with_state()
    assert [len(route(uplink(seq))) for seq in (5, 4, 5, 6)] == [2, 1, 2, 2]  # 5 again: it was not taken
    assert len(route(uplink(1, "b"))) == 2


def test_what_is_remembered_of_devices_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routing, "TOPICS_KEPT", 2)
    route = with_state()
    for device in "abc":
        route(uplink(5, device))
    assert [len(route(uplink(4, device))) for device in "cb"] == [1, 1]
    assert len(route(uplink(4, "a"))) == 2


@pytest.mark.parametrize(
    "one",
    [
        messages([made(replay=Replay("3f9c", outlets=True))])[0],
        ChirpStack(describe).messages(made(replay=Replay("3f9c", outlets=True)), heard())[0],
        ChirpStack(describe).messages(Stored(1, "decoded", failed(7)), heard())[0],
    ],
)
def test_a_correction_is_not_how_the_device_is_now(one: Outgoing):
    assert one.event in routing.STATES
    assert len(with_state()(one)) == 1


def test_a_topic_may_be_of_one_event_or_of_all_others():
    route = TopicOfEvent({"uplink": "uplinks", "*": "rest"})
    join = Outgoing("join_1", 1, "a", "join", b"{}")
    assert [route(one)[0].topic for one in (uplink(1), join)] == ["uplinks", "rest"]
