import msgspec
import pytest

from lns.exchange.records import Replay, Stored
from lns.outlets.definition import Filter, Outlet
from lns.outlets.formats.chirpstack import ChirpStack
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.outgoing import Described
from lns.outlets.formats.own import Own
from lns.outlets.joining import Joining
from lns.outlets.selection import Selection
from tests.outlets.samples import check_schema, decoded, event, failed, record_id, uplink

ID = record_id(7).hex()


def describe(device_id: int) -> Described:
    return Described(f"device {device_id}", "farm", {"site": "north"})


async def find(seq: int) -> Stored | None:
    return Stored(seq, "uplink", uplink(7)) if seq == 8 else None


def own(known) -> Own:
    return Own(known, Json())


async def select(record, form=own, **filter_):
    outlet = Outlet("x", 1, "webhook", {}, filter=Filter(**filter_))
    return await Selection(outlet, Joining(form(describe), find), describe)(Stored(9, "uplink", record))


@pytest.mark.parametrize(
    ("record", "event_name", "message_id"),
    [
        (uplink(7), "uplink", f"uplink_{ID}"),
        (decoded(7), "measurements", f"measurements_{ID}"),
        (decoded(7, replay=Replay("job1", True)), "measurements", f"measurements_{ID}_job1"),
        (failed(7), "decode_failure", f"decode_failure_{ID}_9"),
        (event(7), "join", f"join_{ID}"),
    ],
)
async def test_each_message_has_an_id_of_its_own_that_stays(record, event_name, message_id):
    (message,) = await select(record)
    assert (message.event, message.id, message.seq, message.lane) == (event_name, message_id, 9, record.dev_eui)
    assert check_schema(message.body)["device"]["tags"] == {"site": "north"}


async def test_another_applications_records_are_not_sent():
    assert await select(msgspec.structs.replace(uplink(7), application_id=2)) == []
    assert await select(event(7, application_id=None, device_id=None, dev_eui=None, kind="gateway")) == []


@pytest.mark.parametrize(
    ("record", "filter_", "count"),
    [
        (uplink(7), {"events": ("join",)}, 0),
        (event(7), {"events": ("join",)}, 1),
        (failed(7), {"events": ("decode_failure",)}, 1),
        (failed(7), {"events": ("measurements",)}, 0),
        (decoded(7), {"fields": ("temperature",)}, 1),
        (decoded(7), {"fields": ("humidity",)}, 0),
        (uplink(7), {"tags": {"site": "north"}}, 1),
        (uplink(7), {"tags": {"site": "south"}}, 0),
    ],
)
async def test_only_what_is_wanted_is_sent(record, filter_, count):
    assert len(await select(record, **filter_)) == count


async def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"^record 9 cannot be encoded: "):
        await select(event(7, data={"x": object()}))


@pytest.mark.parametrize(
    ("record", "filter_", "events"),
    [
        (uplink(7), {}, []),  # told when it is decoded
        (decoded(7), {"fields": ("temperature",)}, ["up"]),
        (decoded(7), {"fields": ("humidity",)}, []),
        (failed(7), {}, ["up", "log"]),
        (failed(7), {"events": ("log",)}, ["log"]),
        (event(7), {"events": ("up",)}, []),
        (decoded(7, application_id=2), {}, []),
    ],
)
async def test_another_formats_messages_are_filtered_by_its_own_events(record, filter_, events):
    assert [one.event for one in await select(record, ChirpStack, **filter_)] == events


async def test_a_renamed_device_is_told_by_its_new_name_once_names_are_forgotten():
    known = {7: describe(7)}
    outlet = Outlet("x", 1, "webhook", {})
    selection = Selection(outlet, Joining(own(known.get), find), known.get)
    await selection(Stored(9, "uplink", uplink(7)))
    known[7] = Described("new", "farm")
    selection.forget()
    (message,) = await selection(Stored(10, "uplink", uplink(7)))
    assert check_schema(message.body)["device"]["name"] == "new"
