"""Codecs that are refused, that fail and that cost too much: `lns codec` against a real server."""

from tests.cli.server import frame, until
from tests.cli.tank import device, values

__all__ = ["device"]


CODEC_THAT_FAILS = "function decodeUplink(input) {\n  return input.nothing.here;\n}"


def test_a_codec_that_cannot_run_is_refused_with_its_place(on, tmp_path):
    (tmp_path / "broken.js").write_text("function decodeUplink(input) {\n  return {;\n}")
    ran = on("codec", "add", "broken.js")
    assert ran.code == 1
    assert "line 2, column" in ran.err


def test_a_failed_decode_is_listed_and_retried(on, gateway, device, tmp_path):
    (tmp_path / "level.js").write_text(CODEC_THAT_FAILS)
    assert on("codec", "add", "level.js").code == 0
    gateway.uplink(frame(0, b"\x05"))
    failures = until(lambda: on("codec", "failures", "--device", "tank", "--json").json)
    assert (failures[0]["reason"], failures[0]["line"]) == ("exception", 2)
    assert "line 2, column" in on("codec", "failures").out
    assert on("codec", "retry", "--device", "tank").code == 1
    assert on("codec", "activate", "level", "1").code == 0
    ran = on("codec", "retry", "--device", "tank")
    assert (ran.code, ran.out) == (0, "1 decoded now, 0 failed again\n")
    assert until(lambda: values(on, "level")) == [5]
    assert on("codec", "failures", "--device", "tank").out == "none yet\n"


def test_a_codec_that_costs_too_much_is_shown_with_its_uplink_and_released(on, gateway, device, tmp_path):
    (tmp_path / "endless.js").write_text("function decodeUplink(input) { for (;;) {} }\n")
    assert on("codec", "add", "endless.js").code == 0
    assert on("device", "set", "tank", "--codec", "endless").code == 0
    gateway.uplink(frame(0, b"\x0c\x57"))
    (row,) = until(lambda: on("codec", "quarantine", "--json").json)
    assert (row["codec"], row["parked"], row["overruns"], row["input"]["payload"]) == ("endless", False, 1, "0c57")
    assert "watched" in on("codec", "quarantine").out
    assert on("codec", "release", "endless").out == "0 versions of codec endless run again\n"
    assert on("codec", "quarantine").out == "none yet\n"
