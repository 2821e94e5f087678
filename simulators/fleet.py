"""A fleet from start to end: register, connect, join, send at its rate, wait for the last answers, sum up."""

import asyncio
import gc
import random
import signal
import time
from time import monotonic
from typing import Any

from lns.lorawan.class_b import beacon_time_gps_s
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.regions import region as region_named
from simulators import identity
from simulators.air import Air
from simulators.clock import Clock
from simulators.device import Device
from simulators.firmware import Firmware
from simulators.gateway_udp import Behaviour, Gateway, Surroundings
from simulators.joining import join_all
from simulators.ledger import Ledger
from simulators.misbehaviour import HONEST, parse_misbehaviour
from simulators.options import FleetOptions
from simulators.provision import Api, counters, provision
from simulators.radio import Chances, Radio
from simulators.summary import summarise
from simulators.traffic import Traffic, World
from simulators.versions import version

_BURST = 32  # uplinks between two looks at the sockets
_TICK_S = 0.005
_LOOK_S = 0.02  # how often gateways look at their timers
_API_WAIT_S = 30.0
_KEPT_ROWS = 100_000  # where nobody wants a ledger


async def run(options: FleetOptions) -> dict[str, Any]:
    """Run the fleet and give its summary; SIGINT and SIGTERM end the sending early and orderly."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    world = build(options)
    await _register(world)
    traffic = Traffic(world)
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopping.set)
    try:
        for gateway in world.gateways:
            await gateway.open(options.host, options.port, options.connect_timeout_s)
        async with asyncio.TaskGroup() as group:
            timers = group.create_task(_run_timers(world, traffic), name="timers")
            elapsed_s, cpu_s = await _send_all(world, traffic, stopping)
            await _quieten(world, traffic, stopping)
            timers.cancel()
    finally:
        for gateway in world.gateways:
            gateway.close()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
        gc.unfreeze()
    summary = summarise(options, world.ledger, world.air, world.gateways, traffic.counts, elapsed_s, cpu_s)
    if options.ledger:
        await asyncio.to_thread(world.ledger.write, options.ledger, summary)
    return summary


def build(options: FleetOptions) -> World:
    """The devices, gateways and the air between them; nothing is sent or connected yet."""
    region = region_named(options.region)
    uniform = random.Random(options.seed).random
    chances = Chances(options.loss, options.duplicates, options.late)
    radio = Radio(region, options.gateways, options.devices, uniform, chances, options.jitter_s)
    people = [
        identity.device(options.seed, number, options.net_id, options.devices_per_address)
        for number in range(options.devices)
    ]
    devices = [
        Device(number, who, region, radio.best_data_rate(number), _firmware(options, number))
        for number, who in enumerate(people)
    ]
    for device in devices:
        device.adr = options.adr
    clock = Clock()
    ledger = Ledger([who.dev_eui for who in people], keep=None if options.ledger else _KEPT_ROWS)
    air = Air(devices, ledger, options.loss, random.Random(f"{options.seed}/downlinks").random)
    if options.device_class != "A":
        air.on_activated = lambda device: device.want_class(options.device_class, options.ping_periodicity)
    around = Surroundings(
        clock=clock,
        may_send=region.downlink_channels_hz.__contains__ if region.plan == "fixed" else region.uplink_channel_allowed,
        uniform=random.Random(f"{options.seed}/gateways").random,
        on_acknowledged=ledger.acknowledged,
        on_air=air.transmit,
    )
    behaviour = Behaviour(
        keep_alive_s=options.keep_alive_s,
        stat_s=options.stat_s,
        ack_timeout_s=options.ack_timeout_s,
        tx_ack_jitter_s=options.jitter_s,
        reject=options.reject,
        rxpk_per_datagram=options.rxpk_per_datagram,
        transmitters=options.transmitters,
        has_gps=options.device_class == "B",
    )
    numbers = range(options.gateways)
    return World(
        options=options,
        devices=devices,
        gateways=[Gateway(n, identity.gateway_eui(options.seed, n), behaviour, around) for n in numbers],
        ledger=ledger,
        air=air,
        radio=radio,
        clock=clock,
        uniform=random.Random(f"{options.seed}/uplinks").random,
        chance=random.Random().random,
        counters=[0] * options.devices,
    )


def _firmware(options: FleetOptions, number: int) -> Firmware:
    misbehaves = number < options.misbehaving * options.devices
    return Firmware(
        version=version(options.lorawan),
        sub_band=options.sub_band,
        misbehaviour=parse_misbehaviour(options.misbehave) if misbehaves else HONEST,
    )


async def _register(world: World) -> None:
    """Make the server know the fleet; ABP devices go on where their session on the server is."""
    options = world.options
    known: dict[str, tuple[int, int]] = {}
    if options.provision:
        api = Api(options.api, options.key, options.data_dir)
        async with api.http:
            await api.wait(_API_WAIT_S)
            people = [device.identity for device in world.devices]
            await provision(api, options, people, [gateway.eui for gateway in world.gateways])
            if options.activation == "abp":
                known = await counters(api)
    if options.activation == "abp":
        for device in world.devices:
            fcnt_up, fcnt_down = known.get(device.identity.dev_eui, (-1, 0))
            device.personalise(fcnt_up + 1, fcnt_down - 1)
            world.counters[device.number] = fcnt_up + 1
            world.air.activated(device)


async def _send_all(world: World, traffic: Traffic, stopping: asyncio.Event) -> tuple[float, float]:
    """Join and send; gives seconds until the last acknowledgement and the CPU seconds they cost this process."""
    options = world.options
    if options.activation == "otaa":
        await join_all(world.devices, traffic.send_join, options.join_rate, options.join_attempts, stopping)
    traffic.start()
    if not traffic.devices:
        return 0.0, 0.0
    if options.prepare:
        traffic.prepare(options.uplinks)
    gc.collect()
    gc.freeze()  # what is made so far stays: no collection need look at it again
    began, cpu_began = monotonic(), time.process_time()
    await _pace(world, traffic, began, stopping)
    while traffic.in_flight or traffic.delayed:
        await asyncio.sleep(_TICK_S)
    return monotonic() - began, time.process_time() - cpu_began


async def _pace(world: World, traffic: Traffic, began: float, stopping: asyncio.Event) -> None:
    """Send at the wanted rate, or as fast as the window of unacknowledged datagrams allows."""
    options = world.options
    ends_at = began + options.duration_s if options.duration_s else float("inf")
    left = options.uplinks or float("inf")
    sent = 0
    while left > 0 and not stopping.is_set():
        now = monotonic()
        if now >= ends_at:
            return
        due = (now - began) * options.rate + 1 - sent if options.rate else _BURST
        room = (options.window - traffic.in_flight) // options.gateways
        burst = max(0, int(min(due, room, left, _BURST)))
        for _ in range(burst):
            traffic.send()
        sent += burst
        left -= burst
        if burst == _BURST:
            await asyncio.sleep(0)
        elif options.rate and room > 0:
            next_in = (sent + 1) / options.rate - (monotonic() - began)
            await asyncio.sleep(min(max(next_in, _TICK_S), _LOOK_S))
        else:
            await asyncio.sleep(_TICK_S / 2)


async def _quieten(world: World, traffic: Traffic, stopping: asyncio.Event) -> None:
    """Wait for the answers that devices still expect, and for what gateways still have to send."""
    while not stopping.is_set():
        expecting = traffic.unsent or traffic.in_flight or monotonic() < traffic.quiet_at
        if not expecting and not any(gateway.scheduled for gateway in world.gateways):
            return
        await asyncio.sleep(_LOOK_S)


async def _run_timers(world: World, traffic: Traffic) -> None:
    """Send what is delayed or repeated when its time comes, and let gateways look at their timers."""
    beacon_gps_s = 0
    while True:
        now = monotonic()
        traffic.release(now)
        if world.options.device_class == "B":
            beacon_gps_s = _send_beacon(world, beacon_gps_s)
        for gateway in world.gateways:
            gateway.flush()
            if gateway.deadline() <= now:
                gateway.expire(now)
        await asyncio.sleep(_TICK_S if traffic.delayed else _LOOK_S)


def _send_beacon(world: World, last_gps_s: int) -> int:
    """Let every device hear the beacon of this period, once; gives its time."""
    gps_s = beacon_time_gps_s(gps_from_unix(world.clock.now_us() / 1e6) * 1000)
    if gps_s != last_gps_s:
        for device in world.devices:
            device.heard_beacon(gps_s)
    return gps_s
