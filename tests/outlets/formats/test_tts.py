"""The Things Stack's application messages against golden files."""

import json
from typing import Any

import pytest

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Measurement, Replay, Stored
from lns.lorawan.modulation import Fsk, LrFhss
from lns.outlets.formats.outgoing import UNKNOWN, Described
from lns.outlets.formats.tts import TheThingsStack, application_id_of, device_id, names, normalized_payload
from tests.outlets.formats.golden import (
    EXPIRED,
    ITEM,
    POSITION,
    SENT,
    describe,
    golden,
    happened,
    heard,
    made,
    place_of,
)
from tests.outlets.samples import AT_US, event, failed, record_id, uplink

EUI, ID = "0000000000000007", record_id(7).hex()


def messages(stored: Stored, heard_as: Any = None) -> list[Outgoing]:
    return TheThingsStack(describe, "000013", place_of=place_of).messages(stored, heard_as)


def test_a_decoded_uplink_is_the_golden_up_and_its_normalized_payload():
    up, normalized = messages(made(), heard())
    assert json.loads(up.body) == golden("tts", "up")
    assert json.loads(normalized.body) == golden("tts", "normalized")
    assert [(one.event, one.id, one.lane) for one in (up, normalized)] == [
        ("up", f"up_{ID}", EUI),
        ("up/normalized", f"up.normalized_{ID}_0", EUI),
    ]


@pytest.mark.parametrize(
    ("name", "topic", "kind", "data"),
    [
        ("join", "join", "join", {"dev_addr": "01020304", "dev_nonce": 7}),
        ("ack", "down/ack", "ack", ITEM),
        ("nack", "down/nack", "nack", ITEM),
        ("sent", "down/sent", "txack", SENT),
        ("failed", "down/failed", "downlink", EXPIRED),
    ],
)
def test_events_are_the_golden_ones(name: str, topic: str, kind: str, data: dict[str, Any]):
    (message,) = messages(happened(kind, data))
    assert (json.loads(message.body), message.event) == (golden("tts", name), topic)


def test_a_failed_decode_is_an_up_without_decoded_payload():
    (up,) = messages(Stored(42, "decoded", failed(7)), heard())
    assert "decoded_payload" not in json.loads(up.body)["uplink_message"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sensor-7", "sensor-7"),
        ("Sensor 7", "eui-0000000000000007"),
        ("s", "eui-0000000000000007"),  # ids have at least three characters
        ("a" * 37, "eui-0000000000000007"),
        ("", "eui-0000000000000007"),
    ],
)
def test_a_name_that_can_be_no_id_gives_way_to_the_eui(name: str, expected: str):
    assert device_id(name, "0000000000000007") == expected


def test_normalized_measurements_of_another_time_carry_it():
    measurements = (
        Measurement("soil.moisture", AT_US - 60_000_000, 31.0),
        Measurement("soil.temperature", AT_US - 60_000_000, 9.0),
        Measurement("water.temperature.min", AT_US, 4.0),
        Measurement("unknown.field", AT_US, 1.0),
    )
    assert normalized_payload(measurements, AT_US) == [
        {"time": "2026-11-21T10:53:49.131123Z", "soil": {"moisture": 31.0, "temperature": 9.0}},
        {"water": {"temperature": {"min": 4.0}}},
    ]


@pytest.mark.parametrize(
    ("modulation", "expected"),
    [
        (Fsk(50_000), {"fsk": {"bit_rate": 50_000}}),
        (LrFhss(137_000, "1/3"), {"lrfhss": {"operating_channel_width": 137_000, "coding_rate": "1/3"}}),
    ],
)
def test_modulations_are_data_rates(modulation: Any, expected: dict[str, Any]):
    up = messages(made(), uplink(7, modulation=modulation))[0]
    assert json.loads(up.body)["uplink_message"]["settings"]["data_rate"] == expected


@pytest.mark.parametrize(
    "stored",
    [
        Stored(1, "uplink", uplink(7)),  # told when it is decoded
        made(replay=Replay("3f9c", outlets=False)),
        happened("status", {"battery": 127, "margin_db": 10}),
        Stored(1, "event", event(7, kind="gateway", device_id=None, dev_eui=None)),
    ],
)
def test_what_has_no_message_is_not_told(stored: Stored):
    assert messages(stored, heard()) == []


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        ("app1@ttn", Described("", "greenhouse"), "app1@ttn"),
        ("", Described("", "greenhouse"), "greenhouse"),
        ("", Described("", "Green House"), "application-1"),
        ("", UNKNOWN, "application-1"),
    ],
)
def test_an_application_is_named_as_given_or_by_its_name_or_number(given: str, known: Described, expected: str):
    assert application_id_of(given, known, 1) == expected
    up = TheThingsStack(lambda _: known, given_id=given).messages(made(), heard())[0]
    assert json.loads(up.body)["end_device_ids"]["application_ids"] == {"application_id": expected}
    assert names(known, EUI, expected) == {"application_id": expected, "device_id": f"eui-{EUI}", "dev_eui": EUI}


def test_a_correction_is_an_up_of_the_same_uplink():
    up = messages(made(replay=Replay("3f9c", outlets=True)), heard())[0]
    assert (up.id, json.loads(up.body)) == (f"up_{ID}_3f9c", golden("tts", "up"))


def test_a_position_in_the_payload_is_a_solved_location_and_in_the_uplink():
    up, *_, solved = messages(made(measurements=POSITION), heard())
    assert (solved.event, json.loads(solved.body)) == ("location/solved", golden("tts", "location"))
    location = golden("tts", "location")["location_solved"]["location"]
    assert json.loads(up.body)["uplink_message"]["locations"] == {"frm-payload": location}


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (Stored(42, "event", event(7, at_us=2**62)), "record 42 cannot be put into json: date value out of range"),
        (happened("ack", {}), "record 42 does not say its id"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_seq(stored: Stored, text: str):
    with pytest.raises(ValueError) as refused:
        messages(stored)
    assert str(refused.value) == text
