"""ChirpStack's events against golden files."""

import json
from typing import Any

import msgspec
import pytest

from lns.delivery.outcome import Outgoing
from lns.exchange.records import Replay, Stored
from lns.lorawan.modulation import Fsk, Lora, LrFhss
from lns.outlets.formats.chirpstack import ChirpStack, Tenant
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

APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"
EUI, ID = "0000000000000007", record_id(7).hex()


def messages(stored: Stored, heard_as: Any = None) -> list[Outgoing]:
    return ChirpStack(describe, Tenant(application_id=APPLICATION), place_of).messages(stored, heard_as)


def told(stored: Stored, heard_as: Any = None) -> Any:
    (message,) = messages(stored, heard_as)
    return json.loads(message.body)


def test_a_decoded_uplink_is_the_golden_up():
    assert told(made(), heard()) == golden("chirpstack", "up")


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("join", "join", {"dev_addr": "01020304", "dev_nonce": 7, "lorawan": "1.0.3"}),
        ("ack", "ack", ITEM),
        ("nack", "nack", ITEM),
        ("txack", "txack", SENT),
        ("status", "status", {"battery": 127, "margin_db": 10}),
        ("expired", "downlink", EXPIRED),
    ],
)
def test_events_are_the_golden_ones(name: str, kind: str, data: dict[str, Any]):
    assert told(happened(kind, data)) == golden("chirpstack", name)


def test_a_failed_decode_is_an_up_without_object_and_a_log():
    up, log = messages(Stored(42, "decoded", failed(7)), heard())
    assert [up.event, log.event] == ["up", "log"]
    assert "object" not in json.loads(up.body)
    assert json.loads(log.body) == golden("chirpstack", "log")


def test_a_message_is_kept_in_order_by_device_and_has_an_id_that_stays():
    (message,) = messages(made(), heard())
    assert msgspec.structs.replace(message, body=b"") == Outgoing(f"up_{ID}", 42, EUI, "up", b"", AT_US)


def test_an_up_after_a_failed_decode_is_another_message_than_the_one_without_object():
    ids = [one.id for one in messages(Stored(42, "decoded", failed(7)), heard())]
    assert ids == [f"up_{ID}_failed", f"log_{ID}_42"]


def test_a_correction_is_an_up_of_the_same_uplink():
    stored = made(replay=Replay("3f9c", outlets=True))
    (message,) = messages(stored, heard())
    assert (message.id, json.loads(message.body)) == (f"up_{ID}_3f9c", golden("chirpstack", "up"))


def test_an_application_without_a_uuid_gets_one_of_its_number():
    (message,) = ChirpStack(describe).messages(made(), heard())
    assert json.loads(message.body)["deviceInfo"]["applicationId"] == "00000000-0000-0000-0000-000000000001"


def test_an_uplink_without_a_codec_has_no_object():
    assert "object" not in told(made(codec_version_id=None, data_json=b"{}"), heard())


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (0, (True, False, 0.0)),  # external power
        (1, (False, False, 0.39)),
        (254, (False, False, 100.0)),
        (255, (False, True, 0.0)),  # cannot be measured
    ],
)
def test_battery_levels_are_those_of_dev_status(battery: int, expected: tuple[bool, bool, float]):
    status = told(happened("status", {"battery": battery, "margin_db": -3}))
    found = tuple(status[name] for name in ("externalPowerSource", "batteryLevelUnavailable", "batteryLevel"))
    assert (found, status["margin"]) == (expected, -3)


@pytest.mark.parametrize(
    ("modulation", "expected"),
    [
        (Lora(12, 812_000, "4/8LI"), {"lora": {"bandwidth": 812_000, "spreadingFactor": 12, "codeRate": "CR_LI_4_8"}}),
        (Fsk(50_000), {"fsk": {"datarate": 50_000}}),
        (
            LrFhss(137_000, "1/3", 8),
            {"lrFhss": {"operatingChannelWidth": 137_000, "codeRate": "CR_2_6", "gridSteps": 8}},
        ),
        (LrFhss(137_000, "2/3"), {"lrFhss": {"operatingChannelWidth": 137_000, "codeRate": "CR_4_6"}}),
    ],
)
def test_modulations_are_named_as_in_gw_proto(modulation: Any, expected: dict[str, Any]):
    assert told(made(), uplink(7, modulation=modulation))["txInfo"]["modulation"] == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [("AS923-1", ("as923", "AS923")), ("AS923-2", ("as923_2", "AS923-2")), ("CN470-20A", ("cn470", "CN470"))],
)
def test_regions_have_chirpstacks_names(region: str, expected: tuple[str, str]):
    up = told(made(), uplink(7, region=region))
    assert (up["regionConfigId"], up["rxInfo"][0]["metadata"]["region_common_name"]) == expected


@pytest.mark.parametrize(
    "stored",
    [
        Stored(1, "uplink", uplink(7)),  # told when it is decoded
        made(replay=Replay("3f9c", outlets=False)),
        happened("downlink", ITEM | {"state": "deleted"}),
        Stored(1, "event", event(7, kind="gateway", device_id=None, dev_eui=None)),
    ],
)
def test_what_has_no_event_is_not_told(stored: Stored):
    assert messages(stored, heard()) == []
    assert ChirpStack(describe).events(stored).isdisjoint({"up", "join", "ack"})


def test_a_device_that_is_gone_is_told_by_its_eui():
    (message,) = messages(Stored(1, "event", event(8, data={"dev_addr": "01020304"})))
    info = json.loads(message.body)["deviceInfo"]
    assert (info["devEui"], info["deviceName"], info["tags"]) == ("0000000000000008", "", {})


def test_a_renamed_device_is_told_by_its_new_name_once_names_are_forgotten():
    names = {7: describe(7)}
    form = ChirpStack(names.get)
    form.messages(made(), heard())
    names[7] = None
    form.forget()
    (message,) = form.messages(made(), heard())
    assert json.loads(message.body)["deviceInfo"]["deviceName"] == ""


def test_a_position_in_the_payload_is_a_location():
    up, location = messages(made(measurements=POSITION), heard())
    assert (up.event, location.event, location.id) == ("up", "location", f"location_{ID}")
    assert json.loads(location.body) == golden("chirpstack", "location")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"delay_s": None}, {"immediately": {}}),  # class C
        (
            {"delay_s": None, "gps_time_ms": 1_479_293_707_130},  # class B
            {"gpsEpoch": {"timeSinceGpsEpoch": "1479293707.130s"}},
        ),
        ({"delay_s": 5}, {"delay": {"delay": "5s"}}),
    ],
)
def test_a_txack_says_when_the_frame_went(changes: dict[str, Any], expected: dict[str, Any]):
    assert told(happened("txack", SENT | changes))["txInfo"]["timing"] == expected


def test_a_txack_of_an_older_log_has_no_tx_info():
    bare = {name: SENT[name] for name in ("id", "fcnt_down", "gateway_eui")}
    assert told(happened("txack", bare)) == {k: v for k, v in golden("chirpstack", "txack").items() if k != "txInfo"}


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (
            Stored(42, "event", event(7, at_us=2**62)),
            "record 42 cannot be put into json: date value out of range",
        ),
        (happened("join", {}), "record 42 does not say its dev_addr"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_seq(stored: Stored, text: str):
    with pytest.raises(ValueError) as refused:
        messages(stored)
    assert str(refused.value) == text
