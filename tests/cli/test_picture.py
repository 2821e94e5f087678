"""The live view, drawn into text of a given size."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from lns.cli.picture import Picture

CLOCK = datetime(2026, 11, 21, 10, 52, tzinfo=UTC)
AT = "2026-11-21T10:51:02Z"
UPLINK = {
    "kind": "uplink", "at": AT, "dev_eui": "a84041000181c061", "device": "cellar", "fcnt": 1229, "fport": 2, "dr": 5,
    "freq_hz": 868_100_000, "rssi_dbm": -103.0, "snr_db": 7.5, "gateways": 3,
}  # fmt: skip
DECODED = {"kind": "decoded", "at": AT, "dev_eui": "a84041000181c061", "fields": {"temperature": 21.456, "door": True}}
FAILED = {"kind": "decoded", "at": AT, "dev_eui": "a84041000181c061", "error": "timeout"}
JOIN = {"kind": "join", "at": AT, "dev_eui": "a84041000181c061", "device": "cellar", "dev_addr": "260b1f22"}
REFUSAL = {
    "kind": "refusal", "at": AT, "reason": "mic", "text": "no session fits", "dev_addr": "260b1f22",
    "dev_eui": None, "gateway_eui": "a84041ffff1e8f2c",
}  # fmt: skip
STATUS = {
    "region": "EU868", "uptime_s": 321, "udp": {"host": "0.0.0.0", "port": 1700},
    "counters": {"uplinks": {"accepted": 100.0, "refused": 7.0}, "measurements_stored": {"sqlite": 400.0}},
}  # fmt: skip
LATER = {**STATUS, "counters": {"uplinks": {"accepted": 120.0}, "measurements_stored": {"sqlite": 485.0}}}
ROOF = {"eui": "a84041ffff1e8f2c", "state": "accepted", "name": "roof", "last_seen_at": AT}
SEEN = {"eui": "a84041ffff1e8f2d", "state": "seen", "name": "a84041ffff1e8f2d", "last_seen_at": AT}


def screen(picture, width=80, height=24):
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(picture.draw(width, CLOCK))
    return captured.get().rstrip("\n").split("\n")


def find(lines, *words):
    """The one line that holds all the words."""
    (line,) = [line for line in lines if all(word in line for word in words)]
    return line


@pytest.fixture
def picture():
    made = Picture("http://127.0.0.1:8080")
    made.polled(STATUS, [ROOF, SEEN], {"head_seq": 12_345, "consumers": [{"lag": 3}, {"lag": 0}]}, now=10.0)
    return made


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (120, 24), (200, 60)])
def test_the_screen_is_filled_and_never_overrun(picture, width, height):
    for event in (UPLINK, DECODED, FAILED, JOIN, REFUSAL) * 30:
        picture.take(event)
    lines = screen(picture, width, height)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


def test_an_uplink_is_one_line_with_its_radio_values(picture):
    picture.take(UPLINK)
    assert "cellar              1229 p2   DR5 868.1 -103 dBm   7.5 dB  3 gw" in find(screen(picture), "868.1")


def test_an_uplink_without_port_and_levels_is_shown(picture):
    picture.take({**UPLINK, "fport": None, "rssi_dbm": None, "snr_db": None})
    assert "1229 p-   DR5 868.1    - dBm     - dB" in find(screen(picture), "868.1")


def test_values_are_shown_under_the_name_an_uplink_has_told(picture):
    picture.take(UPLINK)
    picture.take(DECODED)
    assert "cellar            temperature 21.456  door true" in find(screen(picture), "temperature")


def test_values_and_failed_decodes_are_shown(picture):
    picture.take(DECODED)
    picture.take(FAILED)
    lines = screen(picture)
    assert "a84041000181c061  temperature 21.456  door true" in find(lines, "temperature")
    assert "a84041000181c061  failed: timeout" in find(lines, "failed")


def test_refusals_are_shown_with_their_reason_and_counted(picture):
    for _ in range(3):
        picture.take(REFUSAL)
    picture.take({**REFUSAL, "reason": "join_unknown_device"})
    lines = screen(picture, height=40)
    assert "refused: mic 3, join_unknown_device 1" in find(lines, "refused:")
    assert "260b1f22          mic  no session fits" in next(line for line in lines if "mic  no" in line)


def test_gateways_to_accept_come_first_and_say_how(picture):
    lines = screen(picture)
    assert "gateways 2, 1 to accept: lns gateway accept EUI" in find(lines, "to accept")
    rows = [line for line in lines if "a84041ffff1e" in line]
    assert ["seen      58 s ago" in rows[0], "accepted  58 s ago    roof" in rows[1]] == [True, True]


def test_the_head_tells_address_rates_and_lag(picture):
    first, second = screen(picture)[:2]
    assert first.strip() == "http://127.0.0.1:8080  EU868  udp 0.0.0.0:1700  up 5 min"
    assert second.strip() == "0.0 uplinks/s  0.0 values/s  log 12345  keeps up"
    picture.polled(LATER, [], {"head_seq": 12_400, "consumers": []}, now=12.0)
    assert screen(picture)[1].strip() == "10.0 uplinks/s  42.5 values/s  log 12400  keeps up"


def test_a_server_that_was_started_again_has_no_negative_rate(picture):
    restarted = {**STATUS, "counters": {"uplinks": {}, "measurements_stored": {}}}
    picture.polled(restarted, [], {"head_seq": 1, "consumers": []}, now=12.0)
    assert screen(picture)[1].strip() == "0.0 uplinks/s  0.0 values/s  log 1  keeps up"


def test_a_consumer_that_is_behind_is_told(picture):
    picture.polled(STATUS, [], {"head_seq": 5000, "consumers": [{"lag": 4000}]}, now=12.0)
    assert screen(picture)[1].strip().endswith("behind by 4000")


def test_trouble_replaces_the_rates_until_the_next_poll(picture):
    picture.trouble = "no server answers"
    assert screen(picture)[1].strip() == "no server answers"
    picture.polled(STATUS, [], {"head_seq": 1, "consumers": []}, now=12.0)
    assert "uplinks/s" in screen(picture)[1]


def test_an_empty_view_says_what_to_do():
    text = "\n".join(screen(Picture("http://127.0.0.1:8080")))
    assert "point one at the UDP port above" in text
    assert "nothing heard yet" in text


def test_the_newest_refusal_comes_with_what_to_do(picture):
    picture.take({**REFUSAL, "hint": "add it: lns device add 260b1f22"})
    picture.take({**REFUSAL, "hint": "let it join again"})
    assert "newest: let it join again" in find(screen(picture, height=40), "newest:")
