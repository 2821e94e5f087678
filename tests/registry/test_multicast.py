from typing import Any

import msgspec
import pytest

from lns.lorawan.multicast import mc_keys
from lns.mac.multicast import MulticastDownlink
from lns.registry.registry import Registry
from lns.registry.rows import MulticastGroup, MulticastSnapshot
from tests.registry.samples import APP_KEY, APP_S_KEY, NWK_KEY, NWK_S_KEY, abp, count, execute, otaa, refusal

EUI = "70b3d57ed0000001"


def test_group_has_the_defaults_of_its_region_and_keys_of_its_own(registry: Registry) -> None:
    made = registry.multicast.add({"name": "lamps"}, net_id="000013")
    assert msgspec.structs.replace(made, mc_addr="", keys=b"", created_at_us=0) == MulticastGroup(
        id=1,
        application_id=1,
        application="default",
        name="lamps",
        device_class="C",
        region="EU868",
        mc_addr="",
        keys=b"",
        fcnt=0,
        dr=0,
        freq_hz=869_525_000,
        ping_periodicity=None,
        expires_at_us=None,
        created_at_us=0,
    )
    assert made.mc_addr[:2] in ("26", "27")
    mc_key = made.keys[32:]
    assert (len(mc_key), made.keys[:32]) == (16, b"".join(mc_keys(mc_key, made.mc_addr)))
    assert registry.multicast.add({"name": "more"}).keys[32:] != mc_key


def test_keys_given_are_kept_and_never_stored_in_clear(registry: Registry) -> None:
    given = {"name": "a", "mc_addr": "01020304", "mc_nwk_s_key": NWK_S_KEY, "mc_app_s_key": APP_S_KEY, "fcnt": 9}
    made = registry.multicast.add(given)
    assert (made.mc_addr, made.keys.hex(), made.fcnt) == ("01020304", NWK_S_KEY + APP_S_KEY, 9)
    root = registry.multicast.add({"name": "b", "mc_addr": "01020304", "mc_key": APP_KEY})
    assert root.keys == b"".join(mc_keys(bytes.fromhex(APP_KEY), "01020304")) + bytes.fromhex(APP_KEY)
    registry._database.checkpoint()
    assert bytes.fromhex(NWK_S_KEY) not in registry.path.read_bytes()


def test_class_b_has_ping_slots(registry: Registry) -> None:
    made = registry.multicast.add({"name": "a", "device_class": "B", "ping_periodicity": 3})
    assert (made.dr, made.freq_hz, made.ping_periodicity) == (3, 869_525_000, 3)
    assert registry.multicast.change(1, {"device_class": "C"}).ping_periodicity is None
    assert registry.multicast.change(1, {"device_class": "B"}).ping_periodicity == 0


def test_change_touches_only_what_is_given(registry: Registry) -> None:
    made = registry.multicast.add({"name": "a", "expires_at_us": 5})
    assert registry.multicast.change(1, {}) == made
    changes = {"name": "b", "dr": 3, "freq_hz": 868_100_000}
    assert registry.multicast.change(1, {**changes, "expires_at_us": None}) == msgspec.structs.replace(
        made, **changes, expires_at_us=None
    )


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"name": "a/b"}, "name is 'a/b': no slash, control character or blank at either end may be in it"),
        ({"application": "x"}, "application 'x' does not exist"),
        ({"device_class": "A"}, "device_class is 'A', B and C have multicast"),
        ({"dr": 8}, "dr is 8, which is no downlink data rate of EU868"),
        ({"freq_hz": 902_300_000}, "freq_hz is 902300000: EU868 has no band at 902300000 Hz"),
        ({"device_class": "B", "ping_periodicity": 8}, "ping_periodicity is 8, 0 to 7 is allowed"),
        ({"fcnt": -1}, "fcnt is -1, 0 to 4294967295 is allowed"),
        ({"mc_addr": "1"}, "mc_addr: '1' is not a DevAddr: 8 hex digits are needed"),
        ({"mc_key": "00"}, "mc_key: the key has 2 characters: 32 hex digits are needed"),
        (
            {"mc_nwk_s_key": APP_KEY},
            "mc_app_s_key is missing: give mc_key, or mc_nwk_s_key and mc_app_s_key, or none",
        ),
        (
            {"mc_nwk_s_key": APP_KEY, "mc_app_s_key": NWK_KEY, "mc_key": APP_KEY},
            "mc_key is given beside the keys that follow from it: leave it or them out",
        ),
    ],
)
def test_wrong_value_is_named(registry: Registry, values: dict[str, Any], text: str) -> None:
    assert refusal(registry.multicast.add, {"name": "a", **values}) == ("invalid", text)
    assert registry.multicast.all() == []


def test_name_is_unique_in_its_application(registry: Registry) -> None:
    registry.applications.add("x")
    for application in ("default", "x"):
        registry.multicast.add({"name": "a", "application": application})
    registry.multicast.add({"name": "b"})
    text = "multicast group 'a' exists already in this application"
    assert refusal(registry.multicast.add, {"name": "a"}) == ("conflict", text)
    assert refusal(registry.multicast.change, 3, {"name": "a"}) == ("conflict", text)
    assert [(group.application, group.name) for group in registry.multicast.all()] == [
        ("default", "a"),
        ("default", "b"),
        ("x", "a"),
    ]
    assert [group.id for group in registry.multicast.all("x")] == [2]


def test_application_of_a_group_is_not_deleted(registry: Registry) -> None:
    registry.applications.add("x")
    registry.multicast.add({"name": "a", "application": "x"})
    text = "application 'x' has 1 multicast group(s): delete them first"
    assert refusal(registry.applications.delete, "x") == ("conflict", text)


def test_members_are_of_the_application_and_region_of_the_group(registry: Registry) -> None:
    registry.applications.add("x")
    registry.templates.add({"name": "us", "region": "US915"})
    registry.devices.add_many([otaa(1, name="one"), abp(2), otaa(3, application="x"), otaa(4, template="us")])
    registry.multicast.add({"name": "lamps"})
    registry.multicast.join(1, ["70b3d57ed0000002", EUI, EUI])
    registry.multicast.join(1, [EUI])
    assert registry.multicast.members(1) == [(EUI, "one"), ("70b3d57ed0000002",) * 2]
    assert registry.multicast.get(1).members == 2
    for number, code, text in (
        (3, "conflict", "device 70b3d57ed0000003 is not of application 'default', as the group is"),
        (4, "conflict", "device 70b3d57ed0000004 is in region US915, the group in EU868"),
        (5, "not_found", "device 70b3d57ed0000005 does not exist"),
    ):
        assert refusal(registry.multicast.join, 1, [f"70b3d57ed{number:07x}"]) == (code, text)
    registry.multicast.leave(1, EUI)
    text = f"device {EUI} is no member of multicast group 'lamps'"
    assert refusal(registry.multicast.leave, 1, EUI) == ("not_found", text)
    registry.devices.delete("70b3d57ed0000002")
    assert registry.multicast.members(1) == []


def test_member_keeps_its_application(registry: Registry) -> None:
    registry.applications.add("x")
    registry.devices.add(otaa(1))
    registry.multicast.add({"name": "lamps"})
    registry.multicast.join(1, [EUI])
    text = f"device {EUI} is a member of multicast group 'lamps': end that first"
    assert refusal(registry.devices.change, EUI, {"application": "x"}) == ("conflict", text)
    assert registry.devices.change(EUI, {"application": "default"}).application == "default"
    registry.multicast.leave(1, EUI)
    assert registry.devices.change(EUI, {"application": "x"}).application == "x"


def test_deleted_group_leaves_nothing_and_its_id_is_never_given_again(registry: Registry) -> None:
    registry.devices.add(otaa(1))
    registry.multicast.add({"name": "a"})
    registry.multicast.join(1, [EUI])
    queue_one(registry, 1, "i")
    registry.multicast.delete(1)
    assert [count(registry.path, table) for table in ("multicast_member", "multicast_downlink")] == [0, 0]
    assert registry.multicast.add({"name": "a"}).id == 2
    for call in (registry.multicast.get, registry.multicast.delete, registry.multicast.members):
        assert refusal(call, 1) == ("not_found", "multicast group 1 does not exist")


def queue_one(registry: Registry, group_id: int, item_id: str, state: str = "queued", at_us: int = 1) -> None:
    item = "INSERT INTO multicast_downlink VALUES (?, ?, 2, x'0a', ?, NULL, ?, 8, 9, NULL, 5)"
    execute(registry.path, item, item_id, group_id, state, at_us)


def test_network_loads_groups_with_members_and_what_waits(registry: Registry) -> None:
    registry.devices.add_many([otaa(1), otaa(2)])
    groups = [registry.multicast.add({"name": name}) for name in ("a", "b")]
    registry.multicast.join(1, ["70b3d57ed0000002", EUI])
    queue_one(registry, 1, "old", "sent")
    queue_one(registry, 1, "second", at_us=3)
    queue_one(registry, 1, "first", at_us=2)
    waiting = [MulticastDownlink(name, 1, 2, b"\n", at, 8, 9) for name, at in (("first", 2), ("second", 3))]
    first = msgspec.structs.replace(groups[0], members=2)
    assert registry.load_multicast() == MulticastSnapshot([first, groups[1]], {1: [1, 2], 2: []}, waiting)
    assert registry.load_multicast([2, 7]) == MulticastSnapshot([groups[1]], {2: []}, [])
    assert [item.id for item in registry.multicast.downlinks(1, limit=2)] == ["second", "first"]
