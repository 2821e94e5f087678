"""Protobuf messages: golden bytes, read by protoc, which shares no code with what wrote them."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf import descriptor_pb2

from lns.exchange.records import Decoded, Event, Measurement, Replay, Rx, Stored, Uplink
from lns.lorawan.modulation import Fsk, LrFhss
from lns.outlets.formats.inflight import DeviceInfo, Formatter, Message
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.inflight_protobuf import MESSAGES, Protobuf
from tests.outlets.formats.golden import heard
from tests.outlets.samples import AT_US, decoded, event, failed, record_id, uplink

FOLDER = Path(__file__).parents[3] / "lns/outlets/formats"
GOLDEN = Path(__file__).parent / "golden/protobuf"
CORRECTION = decoded(
    7,
    measurements=(
        Measurement("temperature", AT_US, 21.5, "Cel"),
        Measurement("open", AT_US, False),
        Measurement("state", AT_US - 60_000_000, "idle"),
    ),
    warnings=("battery low",),
    suppressed=2,
    replay=Replay("3f9c", True, (("temp", AT_US),)),
)
RECORDS: dict[str, Uplink | Decoded | Event] = {
    "uplink": heard(),
    "measurements": CORRECTION,
    "event": event(7),
}


def protoc(*arguments: str, data: bytes = b"") -> bytes:
    pytest.importorskip("grpc_tools", reason="the reader of golden bytes needs: pip install grpcio-tools")
    command = [sys.executable, "-W", "ignore", "-m", "grpc_tools.protoc", "-I", str(FOLDER), *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout


def message_of(record: Uplink | Decoded | Event) -> Message:
    formatter = Formatter(lambda _: DeviceInfo("sensor 7", "greenhouse", {"row": "4", "bay": "2"}), Protobuf())
    (message,) = formatter.messages(Stored(42, "decoded", record))
    return message


@pytest.mark.parametrize("name", RECORDS)
def test_bytes_are_the_golden_ones_and_protoc_reads_them(name: str):
    message = message_of(RECORDS[name])
    assert message.value.hex() == (GOLDEN / f"{name}.hex").read_text().strip()
    schema = dict(message.headers)["schema"]
    told = protoc(f"--decode={schema}", "inflight.proto", data=message.value)
    assert told.decode() == (GOLDEN / f"{name}.txt").read_text()


def test_the_descriptor_is_that_of_the_file(tmp_path: Path):
    made = tmp_path / "made.binpb"
    protoc(f"--descriptor_set_out={made}", "inflight.proto")
    kept = descriptor_pb2.FileDescriptorSet.FromString((FOLDER / "inflight.binpb").read_bytes())
    assert kept == descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes())


@cache
def fields(name: str) -> dict[str, int]:
    return {field.name: field.number for field in MESSAGES[name].DESCRIPTOR.fields}


def test_numbers_of_fields_do_not_change():
    """Version 1, as it was released: fields may be added to this, and no line of it may change."""
    released = msgspec.json.decode((GOLDEN / "fields.json").read_bytes())
    for name, numbers in released.items():
        assert fields(name).items() >= numbers.items(), name
    assert set(released) == set(MESSAGES)


@pytest.mark.parametrize(
    ("record", "part", "expected"),
    [
        (uplink(7, modulation=Fsk(50_000)), "fsk", {"bitrate_bps": 50_000}),
        (uplink(7, modulation=LrFhss(137_000, "1/3")), "lr_fhss", {"ocw_hz": 137_000, "coding_rate": "1/3"}),
        (
            uplink(7, modulation=LrFhss(137_000, "1/3", 8)),
            "lr_fhss",
            {"ocw_hz": 137_000, "coding_rate": "1/3", "grid_steps": 8},
        ),
    ],
)
def test_modulations_are_one_of_three(record: Uplink, part: str, expected: dict[str, Any]):
    read = MESSAGES["Uplink"].FromString(message_of(record).value)
    assert read.WhichOneof("modulation") == part
    assert {field.name: value for field, value in getattr(read, part).ListFields()} == expected


def test_what_is_not_known_is_absent_and_zero_is_not():
    bare = uplink(7, fport=None, rx=(Rx("aa555a0000000001", None, 0.0, None, AT_US),))
    read = MESSAGES["Uplink"].FromString(message_of(bare).value)
    assert (read.HasField("fport"), read.rx[0].HasField("rssi_dbm"), read.rx[0].HasField("snr_db")) == (
        False,
        False,
        True,
    )
    zero = MESSAGES["Uplink"].FromString(message_of(uplink(7, fport=0)).value)
    assert (zero.HasField("fport"), zero.fport) == (True, 0)


@pytest.mark.parametrize("record", [uplink(7), decoded(7), failed(7), event(7), event(7, dev_eui=None, device_id=None)])
def test_both_encodings_have_the_same_messages(record: Uplink | Decoded | Event):
    stored = Stored(42, "decoded", record)
    by_name = [Formatter(lambda _: None, encoding).messages(stored) for encoding in (Json(), Protobuf())]
    about = [[(m.kind, m.key, m.at_us, m.headers[:2]) for m in messages] for messages in by_name]
    assert about[0] == about[1] != []


def test_a_value_that_does_not_fit_is_refused_by_its_seq():
    with pytest.raises(ValueError, match=r"^record 42 cannot be encoded: "):
        message_of(uplink(7, fcnt_up=2**32))
    with pytest.raises(ValueError, match=r"^record 42 cannot be encoded: "):
        message_of(event(7, data={"at": object()}))
    assert message_of(event(7)).headers[1] == ("id", record_id(7).hex())
