"""`lns downlink` and `lns multicast` against a real server."""

from tests.cli.server import DEV_EUI, table
from tests.cli.tank import device, key_reader

__all__ = ["device", "key_reader"]


def test_downlinks_are_queued_listed_and_deleted(on, device):
    first = on("downlink", "send", "tank", "--fport", "2", "--hex", "0100003c", "--confirmed", "--json").json
    assert (first["payload"], first["confirmed"], first["state"]) == ("0100003c", True, "queued")
    second = on("downlink", "send", device, "--fport", "3", "--hex", "ff", "--expires-in", "1h")
    assert second.out.endswith("queued: it leaves when the device listens next, see `lns downlink list`\n")
    assert [row["fport"] for row in on("downlink", "list", "tank", "--json").json] == [2, 3]
    assert on("downlink", "delete", "tank", first["id"]).code == 0
    assert on("downlink", "delete", "tank", first["id"]).code == 5
    assert on("downlink", "flush", "tank", "--json").json == {"deleted": 1}
    assert on("downlink", "list", "tank").out == "none yet\n"
    wrong = on("downlink", "send", "tank", "--fport", "2", "--hex", "0g")
    assert wrong.code == 2
    wrong = on("downlink", "send", "tank", "--fport", "2", "--hex", "00", "--at", "soon")
    assert (wrong.code, wrong.err) == (2, "lns: --at: 'soon' is not a time such as 2026-01-31T08:00\n")


def test_downlinks_have_priorities_are_replaced_and_remembered(on, device):
    low = on("downlink", "send", "tank", "--fport", "1", "--hex", "01", "--json").json
    high = on("downlink", "send", "tank", "--fport", "2", "--hex", "02", "--priority", "10", "--json").json
    assert [row["id"] for row in on("downlink", "list", "tank", "--json").json] == [high["id"], low["id"]]
    ran = on("downlink", "replace", "tank", low["id"], "--fport", "9", "--hex", "09")
    assert ran.out == f"downlink {low['id']} replaced\n"
    assert on("downlink", "flush", "tank", "--json").json == {"deleted": 2}
    past = on("downlink", "list", "tank", "--past", "--json").json
    assert [(row["id"], row["payload"], row["state"]) for row in past] == [
        (high["id"], "02", "deleted"),
        (low["id"], "09", "deleted"),
    ]
    assert on("downlink", "list", "tank", "--past", "--limit", "1", "--json").json == past[:1]


def test_multicast_groups_have_members_and_downlinks(on, device, key_reader):
    ran = on("multicast", "add", "lamps", "--dr", "3", "--mc-addr", "0a0b0c0d", "--expires-in", "30d")
    assert ran.out.endswith("McAddr 0a0b0c0d\n")
    group = on("multicast", "show", "lamps", "--json").json
    assert (group["dr"], group["devices"], group["expires_at"] > group["created_at"]) == (3, [], True)
    assert on("multicast", "join", "lamps", "tank").out == "multicast group lamps has 1 member(s)\n"
    assert on("multicast", "show", str(group["id"]), "--json").json["devices"] == [{"dev_eui": DEV_EUI, "name": "tank"}]
    sent = on("multicast", "send", "lamps", "--fport", "2", "--hex", "01", "--at", "2126-01-31T08:00:00Z", "--json")
    assert (sent.json["at"], sent.json["state"]) == ("2126-01-31T08:00:00.000000Z", "queued")
    assert [row["id"] for row in on("multicast", "downlinks", "lamps", "--json").json] == [sent.json["id"]]
    keys = on("multicast", "keys", group["id"], "--key", key_reader, "--json").json
    assert sorted(keys) == ["mc_app_s_key", "mc_key", "mc_nwk_s_key"]
    assert "lamps" in [row[1] for row in table(on("multicast", "list"))]
    assert on("multicast", "leave", "lamps", "tank").out == "1 device(s) left multicast group lamps\n"
    assert on("multicast", "remove", "lamps").code == 0
    gone = on("multicast", "show", "lamps")
    text = "lns: no multicast group has the name or id 'lamps': see `lns multicast list`\n"
    assert (gone.code, gone.err) == (5, text)
    wrong = on("multicast", "send", "lamps", "--fport", "2", "--hex", "01", "--at", "soon")
    assert wrong.code in (2, 5)
