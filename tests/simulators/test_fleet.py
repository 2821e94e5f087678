"""Whole fleets over real sockets against a small network of the test's own."""

import json

import pytest

from lns.lorawan.regions import REGIONS, region
from simulators import identity
from simulators.fleet import build, run
from simulators.options import FleetOptions
from simulators.traffic import Traffic
from tests.simulators.network import Network
from tests.simulators.server import serving


async def play(**settings) -> tuple[dict, Network]:
    """Run a fleet; gives its summary and what the network got."""
    async with serving() as server:
        options = FleetOptions(port=server.port, provision=False, **settings)
        people = [
            identity.device(options.seed, n, devices_per_address=options.devices_per_address)
            for n in range(options.devices)
        ]
        network = Network(server, region(options.region), people)
        return await run(options), network


async def test_every_uplink_of_an_abp_fleet_arrives_by_every_gateway(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    summary, network = await play(activation="abp", devices=7, uplinks=100, rate=0, ledger=ledger)
    assert (summary["sent"], summary["copies"], summary["expected_uplinks"]) == (100, 300, 100)
    assert (summary["datagrams"], summary["acked_datagrams"], summary["unacked_datagrams"]) == (300, 300, 0)
    assert (network.copies, len(network.received)) == (300, 100)
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert rows.pop() == {"kind": "summary", **summary}
    assert [(row["dev_eui"], row["fcnt"], row["fields"]) for row in rows] == network.received
    assert {(row["heard_by"], row["acknowledged_by"]) for row in rows} == {(3, 3)}
    assert [fields["counter"] for _, _, fields in network.received if fields["counter"] > 12] == [13.0] * 7 + [14.0] * 2


async def test_frames_that_were_prepared_are_the_same(tmp_path):
    settings = {"activation": "abp", "devices": 5, "uplinks": 40, "rate": 0.0}
    _, live = await play(**settings)
    summary, prepared = await play(**settings, prepare=True)
    assert sorted(prepared.received) == sorted(live.received)
    assert summary["generator_cpu_us_per_uplink"] > 0


async def test_the_rate_is_kept():
    summary, network = await play(activation="abp", devices=5, uplinks=0, rate=200, duration_s=0.5)
    assert 80 <= summary["sent"] <= 101
    assert len(network.received) == summary["sent"]


async def test_an_otaa_fleet_joins_and_its_confirmed_uplinks_are_answered():
    summary, network = await play(
        activation="otaa", devices=3, gateways=2, uplinks=12, rate=20, join_rate=100, confirmed_share=1.0,
        ask_share=1.0, transmitters=0,
    )  # fmt: skip
    assert (summary["joins_sent"], summary["joined"]) == (3, 3)
    assert (summary["confirmed_sent"], summary["acked_confirmed"], len(network.received)) == (12, 12, 12)
    assert (summary["downlinks_received"], summary["downlinks_rx1"], summary["pull_resps"]) == (15, 15, 15)
    assert (summary["link_check_answers"], summary["device_time_answers"]) == (12, 12)
    for fault in ("mic_bad", "outside_window", "wrong_parameters", "repeated", "foreign", "malformed"):
        assert summary[f"downlinks_{fault}"] == 0
    assert (summary["duplicate_fcnt_down"], summary["retransmissions"]) == (0, 0)
    assert 900 < summary["rx_lead_min_ms"] <= summary["rx_lead_max_ms"] < 5000


async def test_a_fixed_plan_is_joined_and_heard():
    summary, network = await play(region="US915", activation="otaa", devices=1, gateways=1, uplinks=4, rate=20)
    assert (summary["joined"], len(network.received)) == (1, 4)


@pytest.mark.parametrize("name", REGIONS)
async def test_every_region_is_heard(name):
    summary, network = await play(region=name, activation="abp", devices=2, gateways=1, uplinks=6, rate=0)
    assert (summary["expected_uplinks"], len(network.received)) == (6, 6)


async def test_a_class_c_fleet_listens_all_the_time():
    options = FleetOptions(
        activation="abp", devices=2, device_class="C", misbehave=("skip-counters=1",), misbehaving=0.5
    )
    world = build(options)
    for device in world.devices:
        device.personalise()
        world.air.activated(device)
    assert [device.classes.continuous() is not None for device in world.devices] == [True, True]
    assert [device.firmware.misbehaviour.skips_counters for device in world.devices] == [1, 0]


async def test_loss_doubles_and_latecomers_are_as_told():
    settings = {"activation": "abp", "devices": 20, "uplinks": 300, "rate": 0.0}
    summary, network = await play(**settings, loss=0.5, duplicates=0.3, late=0.3)
    assert summary["lost_by_radio"] > 0
    assert summary["expected_uplinks"] == 300 - summary["lost_by_radio"] == len(network.received)
    assert summary["copies"] < network.copies == summary["acked_datagrams"]


async def test_a_confirmed_uplink_without_answer_is_repeated():
    summary, network = await play(
        activation="abp", devices=2, gateways=1, uplinks=2, rate=0, confirmed_share=1.0, reject=1.0, retries=1
    )
    assert (summary["sent"], summary["retransmissions"], summary["acked_confirmed"]) == (2, 2, 0)
    assert summary["pull_resps_refused"] == {"COLLISION_PACKET": 2}
    assert (network.copies, len(network.received)) == (4, 2)


async def test_a_fleet_that_nobody_acknowledges_fails():
    async with serving() as server:
        port = server.port
    with pytest.raises(TimeoutError):
        await run(FleetOptions(port=port, provision=False, activation="abp", connect_timeout_s=0.2))


def test_the_same_seed_makes_the_same_frames():
    options = FleetOptions(activation="abp", devices=10, confirmed_share=0.3, loss=0.2, provision=False)

    def frames() -> list[bytes]:
        world = build(options)
        for device in world.devices:
            device.personalise()
        traffic = Traffic(world)
        traffic.start()
        traffic.prepare(100)
        return [(frame.phy, frame.channel, frame.copies) for frame in traffic.prepared]

    assert frames() == frames()
