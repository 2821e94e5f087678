"""The ledger of a run: what was sent, acknowledged, answered."""

import json

from lns.lorawan.regions import region
from simulators.ledger import Ledger, Transmission
from simulators.payloads import expected, reading

CHANNEL = region("EU868").uplink_channels[0]
EUIS = ["00000000000000a0", "00000000000000a1"]


def test_an_uplink_is_expected_in_the_store_once_a_copy_is_acknowledged():
    ledger = Ledger(EUIS)
    first = ledger.add_uplink(0, 5, 100, False, 1_000)
    second = ledger.add_uplink(1, 6, 200, False, 2_000)
    assert (first, second, len(ledger)) == (0, 1, 2)
    for gateway, at_us in ((2, 1_500), (0, 1_600), (2, 1_700)):
        ledger.acknowledged(first, gateway, at_us)
    assert ledger.expected == 1
    ledger.heard(first, 0b101)
    ledger.heard(second, 0b011)
    uplinks = list(ledger.rows())
    assert uplinks[0] == {
        "kind": "uplink",
        "dev_eui": EUIS[0],
        "fcnt": 5,
        "sent_at_us": 1_000,
        "confirmed": False,
        "answered": False,
        "heard_by": 2,
        "acknowledged_by": 2,
        "acknowledged_at_us": 1_500,
        "fields": expected(reading(0, 100)),
    }
    assert (uplinks[1]["heard_by"], uplinks[1]["acknowledged_by"]) == (2, 0)


def test_join_requests_are_acknowledged_without_being_uplinks():
    ledger = Ledger(EUIS)
    ledger.acknowledged(-1, 0, 1_000)
    assert (ledger.expected, len(ledger)) == (0, 0)


def test_a_confirmed_uplink_is_answered_once():
    ledger = Ledger(EUIS)
    uplink = ledger.add_uplink(0, 0, 0, True, 1)
    assert ledger.is_confirmed(uplink)
    assert not ledger.is_answered(uplink)
    ledger.answer(uplink)
    ledger.answer(uplink)
    assert ledger.is_answered(uplink)
    assert (ledger.confirmed, ledger.answered_confirmed) == (1, 1)


def test_an_answer_to_an_unconfirmed_uplink_is_none_of_the_confirmed_ones():
    ledger = Ledger(EUIS)
    ledger.answer(ledger.add_uplink(0, 0, 0, False, 1))
    assert ledger.answered_confirmed == 0


def test_a_transmission_is_found_by_the_instant_of_its_end():
    ledger = Ledger(EUIS)
    ledger.add_transmission(100, 1, 0, CHANNEL, 5)
    ledger.add_transmission(101, 0, -1, CHANNEL, 3)
    assert ledger.transmission(100) == Transmission(1, 0, CHANNEL, 5, 100)
    assert ledger.transmission(101) == Transmission(0, None, CHANNEL, 3, 101)
    assert ledger.transmission(99) is None
    assert ledger.transmission(102) is None


def test_a_written_ledger_ends_with_the_summary(tmp_path):
    ledger = Ledger(EUIS)
    ledger.joins.append({"kind": "join", "dev_eui": EUIS[0]})
    ledger.add_uplink(0, 0, 0, False, 1)
    ledger.downlinks.append({"kind": "downlink", "dev_eui": EUIS[0]})
    ledger.write(tmp_path / "ledger.jsonl", {"sent": 1})
    rows = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert [row["kind"] for row in rows] == ["join", "uplink", "downlink", "summary"]
    assert rows[-1] == {"kind": "summary", "sent": 1}


def test_an_endless_run_keeps_the_newest_rows_and_all_counts():
    ledger = Ledger(EUIS, keep=5)
    for n in range(25):
        uplink = ledger.add_uplink(0, n, n, True, n)
        ledger.add_transmission(n, 0, uplink, CHANNEL, 5)
        ledger.acknowledged(uplink, 0, n)
        ledger.answer(uplink)
    assert (len(ledger), ledger.expected, ledger.answered_confirmed) == (25, 25, 25)
    assert [row["fcnt"] for row in ledger.rows()] == list(range(15, 25))
    assert ledger.transmission(24) == Transmission(0, 24, CHANNEL, 5, 24)
    assert ledger.transmission(3) is None
    ledger.acknowledged(3, 1, 30)  # what is forgotten changes nothing
    ledger.answer(3)
    assert ledger.is_answered(3)
    assert not ledger.is_confirmed(3)
    assert (ledger.expected, ledger.answered_confirmed) == (25, 25)
