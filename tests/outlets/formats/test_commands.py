"""Downlink commands as other servers' clients write them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.outlets.formats.commands import Command, Downlink, chirpstack, chirpstack_queue, inflight, tts

EUI = "0101010101010101"
CHIRPSTACK = {"dev_eui": EUI, "command": "down"}
OWN = {"dev_eui": EUI, "command": "push"}
TTS = {"device_id": "dev1", "command": "push"}


def down(**changes: Any) -> bytes:
    return json.dumps({"devEui": EUI, "confirmed": True, "fPort": 10, "data": "AQID"} | changes).encode()


def push(*downlinks: dict[str, Any]) -> bytes:
    return json.dumps({"downlinks": downlinks}).encode()


def test_chirpstacks_down_is_one_downlink():
    downlink = Downlink(payload=b"\1\2\3", fport=10, confirmed=True)
    assert chirpstack(CHIRPSTACK, down()) == Command((downlink,), dev_eui=EUI)


def test_chirpstacks_down_may_have_an_object_an_id_and_an_expiry():
    value = down(object={"led": 1}, id="42cb6459-a640-46ec-9623-bdff39dc4736", expiresAt="2026-11-21T10:54:49.131123Z")
    (downlink,) = chirpstack(CHIRPSTACK, value).downlinks
    assert downlink == Downlink(
        object={"led": 1},
        fport=10,
        confirmed=True,
        id="42cb6459-a640-46ec-9623-bdff39dc4736",
        expires_at_us=1_795_258_489_131_123,
    )


@pytest.mark.parametrize(
    ("names", "value", "text"),
    [
        (CHIRPSTACK, down(devEui="0101010101010102"), "devEui is '0101010101010102', but the topic is of " + EUI),
        (CHIRPSTACK, down(fPort=0), "fPort is 0, expected 1 to 223"),
        (CHIRPSTACK, down(expiresAt="tomorrow"), "'tomorrow' is not a time as RFC 3339 writes it"),
        (CHIRPSTACK, down(expiresAt="2026-11-21T10:54:49"), "'2026-11-21T10:54:49' has no time zone"),
        (CHIRPSTACK, b"{", "the command cannot be read: Input data was truncated"),
        (CHIRPSTACK | {"command": "up"}, down(), "command is 'up', only 'down' is known"),
    ],
)
def test_a_wrong_down_is_refused_with_its_value(names: dict[str, str], value: bytes, text: str):
    with pytest.raises(ValueError) as refused:
        chirpstack(names, value)
    assert str(refused.value) == text


def test_tts_push_is_a_list_in_its_order():
    value = push(
        {"f_port": 15, "frm_payload": "vu8=", "priority": "NORMAL", "confirmed": True, "correlation_ids": ["x"]},
        {"decoded_payload": {"led": 1}, "priority": "HIGHEST"},
    )
    downlinks = (
        Downlink(payload=b"\xbe\xef", fport=15, confirmed=True),
        Downlink(object={"led": 1}, priority=3),  # the codec names the FPort
    )
    assert tts(TTS, value) == Command(downlinks, device_id="dev1")


def test_tts_replace_empties_the_queue_even_for_nothing():
    assert tts(TTS | {"command": "replace"}, b"{}") == Command((), replace=True, device_id="dev1")


def test_a_tts_id_made_of_an_eui_names_the_device_by_it():
    assert tts(TTS | {"device_id": "eui-0101010101010101"}, push()).dev_eui == EUI


def test_tts_class_b_and_c_downlinks_may_wait_for_their_time():
    value = push({"f_port": 1, "class_b_c": {"absolute_time": "2026-11-21T10:54:49.131123Z"}})
    assert tts(TTS, value).downlinks[0].at_us == 1_795_258_489_131_123


@pytest.mark.parametrize(
    ("names", "value", "text"),
    [
        (TTS, push({"f_port": 224}), "f_port is 224, expected 1 to 223"),
        (TTS, push({"frm_payload": "vu8="}), "f_port is 0, expected 1 to 223"),
        (TTS, push(*[{"f_port": 1}] * 101), "downlinks has 101 items, at most 100 are taken"),
        (
            TTS,
            push({"f_port": 1, "priority": "URGENT"}),
            "priority is 'URGENT', expected one of LOWEST, LOW, BELOW_NORMAL, NORMAL, ABOVE_NORMAL, HIGH, HIGHEST",
        ),
        (TTS | {"command": "sent"}, push(), "command is 'sent', only 'push' and 'replace' are known"),
    ],
)
def test_a_wrong_push_is_refused_with_its_value(names: dict[str, str], value: bytes, text: str):
    with pytest.raises(ValueError) as refused:
        tts(names, value)
    assert str(refused.value) == text


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_any_bytes_are_a_command_or_a_value_error(value: bytes):
    for parse, names in ((inflight, OWN), (chirpstack, CHIRPSTACK), (tts, TTS)):
        try:
            assert isinstance(parse(names, value), Command)
        except ValueError:
            pass


def item(**changes: Any) -> bytes:
    return json.dumps({"queueItem": {"confirmed": True, "fPort": 10, "data": "AQID"} | changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        item(),
        item(devEui=EUI.upper(), isEncrypted=False, isPending=False, fCntDown=0),
        b'{"queue_item": {"confirmed": true, "f_port": 10, "data": "AQID", "dev_eui": "0101010101010101"}}',
    ],
)
def test_chirpstacks_queue_item_is_one_downlink(body: bytes):
    downlink = Downlink(payload=b"\1\2\3", fport=10, confirmed=True)
    assert chirpstack_queue(EUI, body) == Command((downlink,), dev_eui=EUI)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"[]", "the command cannot be read: it has no object queueItem"),
        (b'{"queueItem": 1}', "the command cannot be read: it has no object queueItem"),
        (b"{", "the command cannot be read: Input data was truncated"),
        (item(fPort="1"), "the command cannot be read: Expected `int`, got `str` - at `$.queueItem.fPort`"),
        (item(fPort=224), "fPort is 224, expected 1 to 223"),
        (item(devEui="0101010101010102"), f"devEui is '0101010101010102', but the address is of {EUI}"),
        (item(isEncrypted=True), "isEncrypted is true: payloads are encrypted here, send the plain one"),
    ],
)
def test_a_wrong_queue_item_is_refused_with_its_value(body: bytes, text: str):
    with pytest.raises(ValueError) as refused:
        chirpstack_queue(EUI, body)
    assert str(refused.value) == text


@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: item(data=text)))
def test_any_queue_item_is_a_command_or_a_value_error(body: bytes):
    try:
        assert isinstance(chirpstack_queue(EUI, body), Command)
    except ValueError:
        pass


def test_our_own_command_is_one_downlink_or_a_list():
    one = {"fport": 10, "payload": "010203", "confirmed": True, "priority": 2, "expires_at": "2026-11-21T10:54:49Z"}
    other = {"object": {"led": 1}}
    downlinks = (
        Downlink(payload=b"\1\2\3", fport=10, confirmed=True, priority=2, expires_at_us=1_795_258_489_000_000),
        Downlink(object={"led": 1}),
    )
    assert inflight(OWN, json.dumps(one).encode()) == Command(downlinks[:1], dev_eui=EUI)
    both = inflight(OWN | {"command": "replace"}, json.dumps([one, other]).encode())
    assert both == Command(downlinks, True, dev_eui=EUI)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"fport": 10}, "one of payload, payload_base64 and object is needed, and no more than one"),
        (
            {"fport": 10, "payload": "01", "object": {}},
            "one of payload, payload_base64 and object is needed, and no more than one",
        ),
        ({"fport": 10, "payload": "xy"}, "payload is 'xy', which is not hex"),
        ({"payload": "01"}, "fport is 0, expected 1 to 223"),
        ({"fport": 10, "payload": "01", "qos": 1}, "the command cannot be read: Object contains unknown field `qos`"),
        (
            {"fport": 10, "payload": "01", "priority": 101},
            "the command cannot be read: Expected `int` <= 100 - at `$.priority`",
        ),
        ([{"object": {}}] * 101, "the list has 101 downlinks, at most 100 are taken"),
    ],
)
def test_a_wrong_command_of_our_own_is_refused_with_its_value(value: Any, text: str):
    with pytest.raises(ValueError) as refused:
        inflight(OWN, json.dumps(value).encode())
    assert str(refused.value) == text
