"""What a format says that a record may become, by which unwanted records are passed over unrendered."""

from collections.abc import Callable
from typing import Any

import pytest

from lns.exchange.records import Replay, Stored
from lns.outlets.build import SPEECHES
from lns.outlets.formats.chirpstack import ChirpStack
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.outgoing import Format
from lns.outlets.formats.own import Own
from lns.outlets.formats.tts import TheThingsStack
from tests.outlets.formats.golden import EXPIRED, ITEM, POSITION, SENT, describe, happened, heard, made
from tests.outlets.samples import event, failed, uplink

FORMATS: dict[str, Callable[[], Format]] = {
    "inflight": lambda: Own(describe, Json()),
    "chirpstack": lambda: ChirpStack(describe),
    "tts": lambda: TheThingsStack(describe),
}
RECORDS: dict[str, Stored] = {
    "uplink": Stored(1, "uplink", uplink(7)),
    "decoded": made(),
    "position": made(measurements=POSITION),
    "failed": Stored(1, "decoded", failed(7)),
    "correction": made(replay=Replay("3f9c", True)),
    "withheld": made(replay=Replay("3f9c", False)),
    "gateway": Stored(1, "event", event(7, kind="gateway", device_id=None, dev_eui=None)),
    "join": happened("join", {"dev_addr": "01020304"}),
    "status": happened("status", {"battery": 127, "margin_db": 10}),
    "class_changed": happened("class_changed", {"from": "A", "to": "C"}),
    "txack": happened("txack", SENT),
    "ack": happened("ack", ITEM),
    "nack": happened("nack", ITEM),
    "expired": happened("downlink", EXPIRED),
    "deleted": happened("downlink", ITEM | {"state": "deleted"}),
}


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_message_is_of_an_event_that_was_foreseen(name: Any, record: str):
    form, stored = FORMATS[name](), RECORDS[record]
    found = form.messages(stored, heard())
    assert {one.event for one in found} <= form.events(stored)
    assert len({one.id for one in found}) == len(found)
    if known := SPEECHES[name].events:
        assert form.events(stored) <= known


@pytest.mark.parametrize("name", ["chirpstack", "tts"])
def test_every_event_of_a_format_is_told_of_some_record(name: str):
    form = FORMATS[name]()
    told = {one.event for stored in RECORDS.values() for one in form.messages(stored, heard())}
    assert told == SPEECHES[name].events  # type: ignore[index]
