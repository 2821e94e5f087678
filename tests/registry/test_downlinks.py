from lns.mac.queue import DownlinkItem
from lns.registry.registry import Registry
from lns.registry.rows import StoredDownlink
from tests.registry.samples import count, execute, otaa, refusal, write_traces

EUI = "70b3d57ed0000001"


def test_downlinks_in_every_state_are_listed_queued_last_first(registry: Registry) -> None:
    write_traces(registry.path, registry.devices.add(otaa()).id)
    found = registry.downlinks.page(EUI)
    assert [(stored.item.id, stored.item.state, stored.place) for stored in found] == [
        ("d", "queued", 4),
        ("c", "sent", 3),
        ("a", "sent", 2),
        ("b", "queued", 1),
    ]
    assert found[2] == StoredDownlink(DownlinkItem("a", 1, 1, b"\x01", True, 9, None, "sent", None, 6, 1, 0, 1), 11, 2)
    assert [stored.item.id for stored in registry.downlinks.page(EUI, before=3, limit=1)] == ["a"]
    assert registry.downlinks.get(EUI, "d") == found[0]


def test_what_is_not_there_is_told(registry: Registry) -> None:
    missing = ("not_found", f"device {EUI} does not exist")
    assert refusal(registry.downlinks.page, EUI) == refusal(registry.downlinks.get, EUI, "a") == missing
    registry.devices.add(otaa())
    assert registry.downlinks.page(EUI) == []
    assert refusal(registry.downlinks.get, EUI, "a") == ("not_found", f"device {EUI} has no downlink a")


def test_old_downlinks_are_forgotten_but_never_those_that_wait(registry: Registry) -> None:
    write_traces(registry.path, registry.devices.add(otaa()).id)
    execute(registry.path, "UPDATE downlink SET updated_at_us = 5 WHERE id IN ('a', 'b', 'c')")
    group = registry.multicast.add({"name": "lamps"})
    item = "INSERT INTO multicast_downlink VALUES (?, ?, 1, x'00', ?, NULL, 1, NULL, NULL, NULL, 5)"
    for item_id, state in (("x", "sent"), ("y", "queued")):
        execute(registry.path, item, item_id, group.id, state)
    assert registry.downlinks.expire(5) == 0
    assert registry.downlinks.expire(6) == 2
    assert sorted(stored.item.id for stored in registry.downlinks.page(EUI)) == ["a", "b", "d"]
    assert [waiting.id for waiting in registry.multicast.downlinks(group.id)] == ["y"]


def test_forgetting_uses_the_index(registry: Registry) -> None:
    plan = "EXPLAIN QUERY PLAN SELECT id FROM downlink WHERE state != 'queued' AND updated_at_us < 9"
    assert "ix_downlink_settled" in str(execute(registry.path, plan))
    assert count(registry.path, "downlink") == 0
