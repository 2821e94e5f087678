import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.exchange.records import Measurement, Rx, Stored
from lns.lorawan.modulation import Fsk, LrFhss
from lns.outlets.formats.inflight import DeviceInfo, Formatter, Message
from lns.outlets.formats.inflight_json import SCHEMAS, Json
from tests.outlets.samples import AT_US, check_schema, decoded, event, failed, uplink

AT = "2026-11-21T10:54:49.131123Z"


def lookup(device_id: int) -> DeviceInfo | None:
    return DeviceInfo(f"sensor {device_id}", "greenhouse", {"row": "4"}) if device_id else None


def only(messages: list[Message]) -> Message:
    (message,) = messages
    return message


def test_an_uplink_becomes_one_message_keyed_by_its_device() -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(42, "uplink", uplink(7))))
    assert check_schema(message.value) == {
        "schema": "inflight.uplink.v1",
        "id": "00000000000000000000000000000007",
        "seq": 42,
        "time": AT,
        "device": {
            "dev_eui": "0000000000000007",
            "name": "sensor 7",
            "application": "greenhouse",
            "tags": {"row": "4"},
        },
        "dev_addr": "01020304",
        "fcnt_up": 0,
        "fport": 2,
        "payload": "00d70128",
        "confirmed": False,
        "adr": True,
        "region": "EU868",
        "dr": 5,
        "freq_hz": 868_100_000,
        "modulation": {"type": "LORA", "sf": 7, "bw_hz": 125_000, "coding_rate": "4/5"},
        "rx": [
            {
                "gateway_eui": "aa555a0000000001",
                "time": AT,
                "rssi_dbm": -77.0,
                "snr_db": 9.5,
                "tmst_us": 123_456,
                "chan": 1,
                "rf_chain": 0,
            }
        ],
    }
    assert (message.kind, message.key, message.at_us) == ("uplink", "0000000000000007", AT_US)
    assert message.headers == [
        ("seq", "42"),
        ("id", "00000000000000000000000000000007"),
        ("schema", "inflight.uplink.v1"),
    ]


def test_what_a_gateway_says_of_time_and_frequency_is_kept() -> None:
    rx = Rx("aa555a0000000002", None, None, None, AT_US + 877, None, None, 1, AT_US + 1, 1_479_000_000_000, 5, -12)
    message = check_schema(only(Formatter(lookup, Json()).messages(Stored(1, "uplink", uplink(0, rx=(rx,))))).value)
    assert message["rx"] == [
        {
            "gateway_eui": "aa555a0000000002",
            "time": "2026-11-21T10:54:49.132000Z",
            "antenna": 1,
            "gateway_time": "2026-11-21T10:54:49.131124Z",
            "gps_time_ms": 1_479_000_000_000,
            "fine_time_ns": 5,
            "freq_offset_hz": -12,
        }
    ]


@pytest.mark.parametrize(
    ("modulation", "shown"),
    [
        (Fsk(50_000), {"type": "FSK", "bitrate_bps": 50_000}),
        (LrFhss(137_000, "1/3", 8), {"type": "LR_FHSS", "ocw_hz": 137_000, "coding_rate": "1/3", "grid_steps": 8}),
    ],
)
def test_other_modulations_have_their_own_fields(modulation: Fsk | LrFhss, shown: dict[str, object]) -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(1, "uplink", uplink(1, modulation=modulation))))
    assert check_schema(message.value)["modulation"] == shown


def test_the_measurements_of_an_uplink_are_one_message() -> None:
    record = decoded(
        7,
        measurements=(
            Measurement("temperature", AT_US, 21.5, "Cel"),
            Measurement("open", AT_US - 60_000_000, True),
            Measurement("mode", AT_US, "eco"),
        ),
        warnings=("battery low",),
        suppressed=2,
    )
    message = only(Formatter(lookup, Json()).messages(Stored(43, "decoded", record)))
    assert check_schema(message.value) == {
        "schema": "inflight.measurements.v1",
        "id": "00000000000000000000000000000007",
        "seq": 43,
        "time": AT,
        "device": {
            "dev_eui": "0000000000000007",
            "name": "sensor 7",
            "application": "greenhouse",
            "tags": {"row": "4"},
        },
        "fcnt_up": 0,
        "fport": 2,
        "uplink_seq": 8,
        "codec_version_id": 3,
        "measurements": [
            {"field": "temperature", "time": AT, "value": 21.5, "unit": "Cel"},
            {"field": "open", "time": "2026-11-21T10:53:49.131123Z", "value": True},
            {"field": "mode", "time": AT, "value": "eco"},
        ],
        "decoded": {"temperature": 21.5, "open": True},
        "warnings": ["battery low"],
        "suppressed": 2,
    }
    assert (message.kind, message.key) == ("measurements", "0000000000000007")
    assert message.headers[2] == ("schema", "inflight.measurements.v1")


def test_a_failed_decode_is_an_event() -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(44, "decoded", failed(7))))
    assert check_schema(message.value) == {
        "schema": "inflight.event.v1",
        "id": "00000000000000000000000000000007",
        "seq": 44,
        "time": AT,
        "device": {
            "dev_eui": "0000000000000007",
            "name": "sensor 7",
            "application": "greenhouse",
            "tags": {"row": "4"},
        },
        "kind": "decode_failure",
        "data": {
            "fcnt_up": 0,
            "fport": 2,
            "uplink_seq": 8,
            "codec_version_id": 3,
            "reason": "script_error",
            "message": "TypeError: x is undefined",
            "line": 3,
            "column": 14,
        },
    }
    assert (message.kind, message.key) == ("event", "0000000000000007")


def test_a_failed_decode_with_link_measurements_is_two_messages() -> None:
    record = failed(7)
    link = decoded(7, failure=record.failure, data_json=b"", measurements=(Measurement("link.rssi", AT_US, -77.0),))
    messages = Formatter(lookup, Json()).messages(Stored(1, "decoded", link))
    assert [message.kind for message in messages] == ["measurements", "event"]
    assert "decoded" not in check_schema(messages[0].value)


def test_an_uplink_whose_values_are_all_withheld_sends_nothing() -> None:
    assert Formatter(lookup, Json()).messages(Stored(1, "decoded", decoded(7, measurements=(), suppressed=2))) == []


def test_a_warning_is_sent_without_measurements() -> None:
    message = only(
        Formatter(lookup, Json()).messages(Stored(1, "decoded", decoded(7, measurements=(), warnings=("odd",))))
    )
    assert check_schema(message.value)["measurements"] == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "0000000000000007"),
        ({"device_id": None, "dev_eui": None, "kind": "gateway"}, "aa555a0000000001"),  # a gateway's own events
        ({"device_id": None, "dev_eui": None, "gateway_eui": None, "kind": "delivery"}, "delivery"),
    ],
)
def test_an_event_is_keyed_by_what_it_is_about(changes: dict[str, object], key: str) -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(1, "event", event(7, **changes))))
    assert message.key == key
    assert ("device" in check_schema(message.value)) == (key == "0000000000000007")


def test_a_removed_device_keeps_its_eui() -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(1, "uplink", uplink(0))))
    assert check_schema(message.value)["device"] == {"dev_eui": "0000000000000000"}


def test_names_are_looked_up_once_until_they_are_forgotten() -> None:
    asked = []
    formatter = Formatter(lambda device_id: asked.append(device_id), Json())
    formatter.messages(Stored(1, "uplink", uplink(7)))
    formatter.messages(Stored(2, "decoded", decoded(7)))
    assert asked == [7]
    formatter.forget()
    formatter.messages(Stored(3, "uplink", uplink(7)))
    assert asked == [7, 7]


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (decoded(7, received_at_us=2**62), "record 9 cannot be encoded: date value out of range"),
        (event(7, data={"at": object()}), "record 9 cannot be encoded: Encoding objects of type object is"),
    ],
)
def test_a_record_that_json_cannot_hold_is_refused(record: object, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        Formatter(lookup, Json()).messages(Stored(9, "decoded", record))  # type: ignore[arg-type]
    assert str(refused.value).startswith(text)


times = st.integers(-(10**15), 10**17)
values = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text())
measurement_lists = st.lists(
    st.builds(Measurement, st.text(), times, values, st.none() | st.text()), min_size=1, max_size=5
)


@given(measurement_lists)
def test_every_measurement_comes_out_as_it_went_in(measurements: list[Measurement]) -> None:
    record = decoded(1, measurements=tuple(measurements))
    message = check_schema(only(Formatter(lookup, Json()).messages(Stored(1, "decoded", record))).value)
    shown = [(m["field"], m["value"], m.get("unit")) for m in message["measurements"]]
    assert shown == [(m.field, m.value, m.unit) for m in measurements]
    assert all(type(m["value"]) is type(n.value) for m, n in zip(message["measurements"], measurements, strict=True))


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_times_are_exact_to_the_microsecond(at_us: int) -> None:
    message = only(Formatter(lookup, Json()).messages(Stored(1, "event", event(1, at_us=at_us))))
    shown = datetime.fromisoformat(check_schema(message.value)["time"])
    assert shown - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(microseconds=at_us)


def test_the_schemas_refuse_what_they_do_not_describe() -> None:
    value = json.loads(only(Formatter(lookup, Json()).messages(Stored(1, "uplink", uplink(1)))).value)
    with pytest.raises(jsonschema.ValidationError, match="'extra' was unexpected"):
        check_schema(json.dumps(value | {"extra": 1}).encode())
    rx = [value["rx"][0] | {"rssi_dbm": "-77"}]
    with pytest.raises(jsonschema.ValidationError, match="is not of type 'number'"):
        check_schema(json.dumps(value | {"rx": rx}).encode())


def test_the_examples_in_the_documentation_fit_the_schemas() -> None:
    text = (Path(__file__).parents[3] / "docs" / "kafka.md").read_text("utf-8")
    examples = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert [check_schema(example.encode())["schema"] for example in examples] == list(SCHEMAS.values())
