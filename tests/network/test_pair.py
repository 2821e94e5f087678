"""Device and network together: whole exchanges over a radio in memory, on a real registry and a real log."""

import msgspec
import pytest

from lns.lorawan.commands import encode_command
from lns.mac.frames import TxOutcome
from lns.mac.settings import RegionSettings
from simulators.session import Fault
from tests.network.world import CONFIG, world


async def test_an_abp_uplink_reaches_the_log_decrypted_with_every_gateway_best_first(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        w.hear(device.uplink(10, b"hello"), 3, 1, 2)
        (uplink,) = await w.uplinks(1)
        assert (uplink.dev_eui, uplink.fcnt_up, uplink.fport, uplink.data) == (device.identity.dev_eui, 0, 10, b"hello")
        assert [rx.gateway_eui[-1] for rx in uplink.rx] == ["1", "2", "3"]
        assert (uplink.dr, uplink.region, uplink.confirmed) == (5, "EU868", False)
        assert w.air.sent == []


async def test_join_then_uplink_and_the_join_accept_waits_for_the_disk(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device()
        durable = []
        w.air.on_send = lambda _: durable.append(w.exchange.head_seq)
        await w.join(device, 7)
        assert durable == [1]  # the join event, and with it session and nonce, were committed before
        assert device.session is not None
        w.hear(device.uplink(10, b"first"))
        (uplink,) = await w.uplinks(1)
        assert uplink.dev_addr == device.session.dev_addr
        (join,) = await w.records("event")
        assert (join.kind, join.data["dev_nonce"]) == ("join", 7)


async def test_a_repeated_dev_nonce_is_refused_also_after_a_restart(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device()
        await w.join(device, 7)
    async with world(tmp_path) as w:
        w.hear(device.join_request(7))
        assert await w.refused() == ["dev_nonce_reused"]
        await w.join(device, 6)
        w.hear(device.uplink(10, b"x"))
        await w.uplinks(1)


async def test_the_old_session_serves_until_the_first_uplink_under_the_new_keys(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device()
        await w.join(device, 1)
        w.hear(device.uplink(10, b"a"))
        await w.uplinks(1)
        old = device.session
        await w.join(device, 2)
        new, device.session = device.session, old
        w.hear(device.uplink(10, b"b"))  # the device missed the join-accept
        await w.uplinks(2)
        device.session = new
        w.hear(device.uplink(10, b"c"))
        await w.uplinks(3)
        device.session = old
        w.hear(device.uplink(10, b"d"))
        assert await w.refused() == ["unknown_dev_addr"]
    async with world(tmp_path) as w:
        device.session = new
        w.hear(device.uplink(10, b"e"))
        assert [u.data for u in await w.uplinks(4)] == [b"a", b"b", b"c", b"e"]


async def test_a_confirmed_uplink_is_acknowledged_and_its_repetition_again_but_stored_once(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        phy = device.uplink(10, b"x", confirmed=True)
        w.hear(phy)
        first = device.receive((await w.transmissions(1))[0].phy_payload)
        assert (first.ack, first.fcnt, first.fport) == (True, 0, None)
        w.hear(phy)
        second = device.receive((await w.transmissions(2))[1].phy_payload)
        assert (second.ack, second.fcnt) == (True, 1)
        assert len(await w.uplinks(1)) == 1


async def test_a_queued_downlink_goes_in_rx1_of_the_next_uplink_and_its_ack_is_told(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        item = await w.network.enqueue(device.identity.dev_eui, 20, b"go", True)
        await w.network.enqueue(device.identity.dev_eui, 21, b"then", False)
        w.hear(device.uplink(10, b"x"))
        (sent,) = await w.transmissions(1)
        got = device.receive(sent.phy_payload)
        assert (got.fport, got.payload, got.confirmed, got.fpending) == (20, b"go", True, True)
        w.hear(device.uplink(10, b"y"))
        got = device.receive((await w.transmissions(2))[1].phy_payload)
        assert (got.fport, got.payload, got.confirmed, got.fpending, got.fcnt) == (21, b"then", False, False, 1)
        events = [(e.kind, e.data["id"] == item.id, e.data["state"]) for e in await w.records("event")]
        assert ("ack", True, "acked") in events
        assert w.network.downlinks(device.identity.dev_eui) == []


async def test_a_second_confirmed_downlink_waits_until_the_first_is_settled(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        for payload in (b"one", b"two"):
            await w.network.enqueue(device.identity.dev_eui, 20, payload, True)
        phy = device.uplink(10, b"x", confirmed=True)
        w.hear(phy)
        assert device.receive((await w.transmissions(1))[0].phy_payload).payload == b"one"
        w.hear(phy)  # the device repeats itself: that says nothing of the first item
        again = device.receive((await w.transmissions(2))[1].phy_payload)
        assert (again.ack, again.payload, again.fpending) == (True, b"", True)
        w.hear(device.uplink(10, b"y"))
        assert device.receive((await w.transmissions(3))[2].phy_payload).payload == b"two"


async def test_an_application_that_answers_quickly_is_heard_in_the_same_window(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        w.hear(device.uplink(10, b"x"))
        await w.uplinks(1)
        await w.network.enqueue(device.identity.dev_eui, 5, b"quick", False)
        (sent,) = await w.transmissions(1)
        assert device.receive(sent.phy_payload).payload == b"quick"
        assert sent.tmst_us == 1_000_000 + 1_000_000


async def test_link_check_and_device_time_are_answered(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        asks = encode_command("LinkCheckReq", uplink=True) + encode_command("DeviceTimeReq", uplink=True)
        w.hear(device.uplink(10, b"x", asks=asks), 1, 2)
        got = device.receive((await w.transmissions(1))[0].phy_payload)
        assert got.commands == ("LinkCheckAns", "DeviceTimeAns")


@pytest.mark.parametrize(
    ("outcomes", "tried"),
    [
        ([TxOutcome(False, "COLLISION_PACKET")], [("1", 868_100_000), ("2", 868_100_000)]),
        ([TxOutcome(False, "TOO_LATE")] * 2, [("1", 868_100_000), ("2", 868_100_000), ("1", 869_525_000)]),
    ],
)
async def test_a_negative_tx_ack_falls_back_to_the_next_gateway_then_to_rx2(tmp_path, outcomes, tried):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        w.air.outcomes = list(outcomes)
        w.hear(device.uplink(10, b"x", confirmed=True), 1, 2)
        sent = await w.transmissions(len(tried))
        assert [(t.gateway_eui[-1], t.freq_hz) for t in sent] == tried
        assert len({t.phy_payload for t in sent}) == 1


async def test_a_downlink_no_gateway_takes_returns_to_the_queue_and_never_reuses_its_counter(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        dev_eui = device.identity.dev_eui
        await w.network.enqueue(dev_eui, 5, b"again", False)
        w.air.outcomes = [TxOutcome(False, "TX_FREQ")] * 2
        w.hear(device.uplink(10, b"x"))
        await w.transmissions(2)
        assert "downlink_refused" in await w.refused()
        (waiting,) = w.network.downlinks(dev_eui)
        assert (waiting.state, waiting.reason) == ("queued", f"{1:016x} refused rx2: TX_FREQ")
        w.hear(device.uplink(10, b"y"))
        got = device.receive((await w.transmissions(3))[2].phy_payload)
        assert (got.payload, got.fcnt) == (b"again", 1)


async def test_without_a_downlink_path_the_next_gateway_is_used(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        w.air.deaf = {f"{1:016x}"}
        w.hear(device.uplink(10, b"x", confirmed=True), 1, 2)
        (sent,) = await w.transmissions(1)
        assert sent.gateway_eui == f"{2:016x}"


async def test_an_item_too_long_for_every_window_fails_with_the_limit(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        await w.network.enqueue(device.identity.dev_eui, 5, bytes(242), False)
        w.hear(device.uplink(10, b"x", asks=b"\x02"))  # DR5: 242 octets fit, but not beside LinkCheckAns
        first = device.receive((await w.transmissions(1))[0].phy_payload)
        assert (first.payload, first.commands, first.fpending) == (b"", ("LinkCheckAns",), True)
        w.hear(device.uplink(10, b"y"))
        second = device.receive((await w.transmissions(2))[1].phy_payload)
        assert len(second.payload) == 242


async def test_queue_delete_flush_and_expiry(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        dev_eui = device.identity.dev_eui
        items = [await w.network.enqueue(dev_eui, 5, bytes([n]), False) for n in range(3)]
        assert [item.id for item in w.network.downlinks(dev_eui)] == [item.id for item in items]
        assert await w.network.delete_downlink(dev_eui, items[1].id)
        assert not await w.network.delete_downlink(dev_eui, items[1].id)
        assert await w.network.flush_downlinks(dev_eui) == 2
        await w.network.enqueue(dev_eui, 5, b"late", False, expires_at_us=1)
        w.hear(device.uplink(10, b"x", confirmed=True))
        got = device.receive((await w.transmissions(1))[0].phy_payload)
        assert (got.ack, got.payload) == (True, b"")
        states = [e.data["state"] for e in await w.records("event") if e.kind == "downlink"]
        assert states == ["deleted", "deleted", "deleted", "expired"]


async def test_a_queue_survives_a_restart(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        await w.network.enqueue(device.identity.dev_eui, 5, b"kept", False)
    async with world(tmp_path) as w:
        w.hear(device.uplink(10, b"x"))
        assert device.receive((await w.transmissions(1))[0].phy_payload).payload == b"kept"


async def test_counters_survive_a_restart_in_both_directions(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        old = device.uplink(10, b"x", confirmed=True)
        w.hear(old)
        device.receive((await w.transmissions(1))[0].phy_payload)
    async with world(tmp_path) as w:
        w.hear(device.uplink(10, b"y", confirmed=True))
        assert device.receive((await w.transmissions(1))[0].phy_payload).fcnt == 1
        w.hear(old)
        assert await w.refused() == ["fcnt_not_above_last"]


async def test_a_counter_reset_follows_the_devices_policy(tmp_path):
    async with world(tmp_path) as w:
        strict, relaxed = await w.device(1, "abp"), await w.device(2, "abp", fcnt_reset_allowed=True)
        for heard, device in enumerate((strict, relaxed), 1):
            device.session.fcnt_up = 100
            w.hear(device.uplink(10, b"a"))
            await w.uplinks(heard)
            device.session.fcnt_up = 0
            w.hear(device.uplink(10, b"b"))
        assert [(u.dev_eui == relaxed.identity.dev_eui, u.data) for u in await w.uplinks(3)] == [
            (False, b"a"),
            (True, b"a"),
            (True, b"b"),
        ]
        assert await w.refused() == ["fcnt_not_above_last"]


async def test_many_devices_on_one_address(tmp_path):
    async with world(tmp_path) as w:
        devices = [await w.device(n, "abp") for n in range(1, 6)]
        shared = devices[0].identity.dev_addr
        who = w.network.devices
        assert {d.identity.dev_addr for d in devices} - {shared} != set()
        for device in devices:
            w.hear(device.uplink(10, bytes([device.number])))
        found = await w.uplinks(5)
        assert sorted((u.dev_eui, u.data) for u in found) == sorted(
            (d.identity.dev_eui, bytes([d.number])) for d in devices
        )
        assert who.sessions.count == 5


async def test_every_refusal_is_shown_with_its_reason(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        phy, with_fopts = device.uplink(10, b"x"), device.uplink(10, b"x", asks=b"\x02")
        stranger = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")  # a frame of no registered address
        frames = {
            b"": "malformed",
            phy[:-1] + bytes([phy[-1] ^ 1]): "mic_failed",
            stranger: "unknown_dev_addr",
            b"\x60" + phy[1:]: "unexpected_direction",
            b"\xe0" + phy[1:]: "proprietary",
            b"\x41" + phy[1:]: "unsupported_major",
            with_fopts[:9] + b"\x00" + with_fopts[10:]: "fopts_with_fport0",
        }
        for count, (frame, reason) in enumerate(frames.items(), 1):
            w.hear(frame)
            assert (await w.refused(count))[-1] == reason
        assert len(await w.uplinks(0)) == 0


async def test_downlinks_are_authentic_and_a_flipped_bit_is_seen_by_the_device(tmp_path):
    async with world(tmp_path) as w:
        device = await w.device(activation="abp")
        w.hear(device.uplink(10, b"x", confirmed=True))
        phy = (await w.transmissions(1))[0].phy_payload
        assert device.receive(phy[:-1] + bytes([phy[-1] ^ 1])) is Fault.MIC
        assert device.receive(phy).ack


async def test_rx1_delay_given_at_join_is_the_one_used(tmp_path):
    async with world(tmp_path, regions={"EU868": RegionSettings(rx1_delay_s=2)}) as w:
        device = await w.device()
        await w.join(device)
        assert device.window_s(join=False) == 2
        w.hear(device.uplink(10, b"x", confirmed=True))
        sent = (await w.transmissions(2))[1]
        assert device.receive(sent.phy_payload).ack


async def test_drain_handles_frames_whose_window_is_open(tmp_path):
    config = msgspec.structs.replace(CONFIG, dedup_window_ms=2000)
    async with world(tmp_path, config) as w:
        device = await w.device(activation="abp")
        w.hear(device.uplink(10, b"x"))
    async with world(tmp_path) as w:
        assert [u.data for u in await w.uplinks(1)] == [b"x"]
