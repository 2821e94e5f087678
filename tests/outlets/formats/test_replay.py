"""Corrections of a replay as outlets send them."""

import pytest

from lns.exchange.records import Measurement, Replay, Stored
from lns.outlets.formats.inflight import DeviceInfo, Formatter, Message
from lns.outlets.formats.inflight_json import Json
from tests.outlets.samples import AT_US, check_schema, decoded

AT = "2026-11-21T10:54:49.131123Z"
WRONG = (("temp", AT_US),)


def messages(replay: Replay | None, **changes: object) -> list[Message]:
    formatter = Formatter(lambda _: DeviceInfo("sensor", "greenhouse", {}), Json())
    return formatter.messages(Stored(42, "decoded", decoded(7, replay=replay, **changes)))


def test_a_correction_names_its_replay_and_what_was_removed():
    (message,) = messages(Replay("3f9c", outlets=True, removed=WRONG))
    sent = check_schema(message.value)
    assert sent["replay"] == {"job": "3f9c", "removed": [{"field": "temp", "time": AT}]}
    assert [m["field"] for m in sent["measurements"]] == ["temperature", "open"]
    assert (sent["uplink_seq"], sent["seq"]) == (8, 42)


def test_a_correction_that_only_removes_is_told_too():
    (message,) = messages(Replay("3f9c", outlets=True, removed=WRONG), measurements=())
    assert check_schema(message.value)["measurements"] == []


def test_other_messages_have_no_such_mark():
    (message,) = messages(None)
    assert "replay" not in check_schema(message.value)


@pytest.mark.parametrize("removed", [(), WRONG])
def test_a_replay_that_is_not_for_outlets_is_not_told(removed):
    measurements = (Measurement("temperature", AT_US, 21.5),)
    assert messages(Replay("3f9c", outlets=False, removed=removed), measurements=measurements) == []
