"""The comparisons of the fault tests find what is missing, doubled, out of order or changed."""

import json
from pathlib import Path

import msgspec
import pytest

from lns.exchange.records import Decoded, Measurement, Stored
from lns.series.consumer import rows_of
from lns.series.sqlite import SqliteSeries
from lns.series.store import Rows
from tests.acceptance.faults.books import check_decoding, check_inbox, check_store
from tests.acceptance.faults.inbox import Inbox
from tests.exchange.build import uplink
from tests.outlets.sending import messages

AT_US = 1_700_000_000_000_000


def decoded(n: int, seq: int) -> Decoded:
    up = uplink(n)
    measured = (Measurement("t", AT_US + n, float(n), "°C"), Measurement("h", AT_US + n, 50.0))
    return Decoded(up.id, seq, 1, 1, up.dev_eui, n, 10, AT_US + n, 1, b"{}", measured)


RECORDS = [
    stored
    for n in range(4)
    for stored in (Stored(2 * n + 1, "uplink", uplink(n)), Stored(2 * n + 2, "decoded", decoded(n, 2 * n + 1)))
]
SENT = [(message.id, message.body) for message in messages(RECORDS)]


def filled(sent: list[tuple[str, bytes]]) -> Inbox:
    inbox = Inbox()
    for message_id, body in sent:
        inbox.take(message_id, body)
    return inbox


def changed(body: bytes) -> bytes:
    told = json.loads(body)
    told["measurements"][0]["value"] += 1
    return json.dumps(told).encode()


def test_all_messages_in_order_are_right_also_when_some_came_again() -> None:
    assert len(SENT) == len(RECORDS)
    check_inbox("x", filled(SENT), RECORDS)
    check_inbox("x", filled(SENT[:3] + SENT[1:]), RECORDS)


@pytest.mark.parametrize(
    "sent",
    [
        SENT[:3] + SENT[4:],  # one is missing
        SENT[:-1],  # the last is missing
        [SENT[0], SENT[2], SENT[1], *SENT[3:]],  # out of order
        [*SENT[:3], (SENT[3][0], changed(SENT[3][1])), *SENT[4:]],  # another value
        [*SENT, (SENT[3][0], changed(SENT[3][1]))],  # came again, with another value
        [*SENT[:3], ("measurements_0", SENT[3][1]), *SENT[4:]],  # another id
    ],
)
def test_a_message_that_is_missing_late_or_changed_is_found(sent: list[tuple[str, bytes]]) -> None:
    with pytest.raises(AssertionError):
        check_inbox("x", filled(sent), RECORDS)


async def test_a_store_that_lacks_or_changes_a_measurement_is_found(tmp_path: Path) -> None:
    rows = list(rows_of([stored for stored in RECORDS if stored.topic == "decoded"]))
    wrong = msgspec.structs.replace(rows[1], value=1.5)
    extra = msgspec.structs.replace(rows[1], field="other")
    cases = {"whole": rows, "lacks": rows[1:], "wrong": [rows[0], wrong, *rows[2:]], "extra": [*rows, extra]}
    for name, held in cases.items():
        store = SqliteSeries(tmp_path / f"{name}.db")
        await store.open()
        await store.write(Rows.of(held), 8)
        if name == "whole":
            await check_store(name, store, RECORDS)
        else:
            with pytest.raises(AssertionError):
                await check_store(name, store, RECORDS)
        await store.close()


@pytest.mark.parametrize("again", [0, 1])
def test_a_record_that_is_in_the_log_twice_is_found(again: int) -> None:
    check_decoding(RECORDS)
    with pytest.raises(AssertionError):
        check_decoding([*RECORDS, Stored(9, RECORDS[again].topic, RECORDS[again].record)])
