"""`lns gateway` and `lns refusals` against a real server."""

from tests.cli.server import GATEWAY, Gateway, frame, table, until


def test_a_gateway_is_seen_then_accepted_then_forgotten(on, server):
    eui = "a84041ffff000001"
    heard = Gateway(server, eui)
    rows = {row["eui"]: row["state"] for row in on("gateway", "list", "--json").json}
    assert rows[eui] == "seen"
    assert on("gateway", "accept", eui).out == f"gateway {eui} is served from now on\n"
    assert on("gateway", "show", eui, "--json").json["state"] == "accepted"
    assert [row[2] for row in table(on("gateway", "list")) if row[0] == eui] == ["accepted"]
    heard.close()
    assert on("gateway", "remove", eui).code == 0
    gone = on("gateway", "show", eui)
    assert (gone.code, gone.err) == (5, f"lns: gateway {eui} was neither added nor heard\n")


def test_a_gateway_can_be_added_before_it_is_heard(on):
    added = on("gateway", "add", "A84041FFFF000002", "--name", "roof", "--region", "US915", "--json").json
    assert (added["eui"], added["name"], added["region"]) == ("a84041ffff000002", "roof", "US915")
    assert added["state"] == "accepted"
    assert on("gateway", "add", "a84041ffff000002").code == 1


def test_refusals_say_what_to_do(on, gateway):
    gateway.uplink(frame(8, b"\x2a", dev_addr="0b0b0b0b"))
    found = until(lambda: on("refusals", "--dev-addr", "0b0b0b0b", "--json").json)
    assert (found[0]["reason"], found[0]["gateway_eui"]) == ("unknown_dev_addr", GATEWAY)
    shown = on("refusals", "--gateway", GATEWAY, "--reason", "unknown_dev_addr").out
    assert "0b0b0b0b" in shown
    assert found[0]["hint"][:40] in shown
    assert on("refusals", "--reason", "log_behind").out == "none yet\n"
