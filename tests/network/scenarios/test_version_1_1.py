"""LoRaWAN 1.1: four keys, rejoins, what a device says of itself, and devices that speak it only in part."""

import pytest

from lns.lorawan.commands import encode_command
from lns.mac.frames import TxOutcome
from lns.mac.settings import RegionSettings
from simulators import identity
from tests.network.agreement import agree
from tests.network.pair import living, only
from tests.network.world import world

ASK = encode_command("LinkCheckReq", uplink=True)


async def test_a_join_gives_a_1_1_session_and_rekey_ind_is_confirmed(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        assert pair.known.session is None
        assert only(await pair.send())[1].commands == ("RekeyConf",)
        assert (pair.session.minor, pair.device.session.minor) == (1, 1)
        assert await pair.send() == []
        assert [event.data["lorawan"] for event in await w.events("join")] == ["1.1"]
        assert [event.data for event in await w.events("rekeyed")] == [{"minor": 1}]


async def test_rekey_ind_is_repeated_until_its_answer_comes_through(tmp_path):
    lost = iter([False, False, *[False, True] * 3, *[False] * 4])
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", lost=lambda: next(lost))
        assert [len(await pair.send()) for _ in range(5)] == [1, 1, 1, 1, 0]


async def test_a_device_whose_rekey_ind_nobody_answers_joins_again(tmp_path):
    silent = False
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", lost=lambda: silent)
        silent = True
        for _ in range(65):
            await pair.send()
        assert pair.device.must_join
        silent = False
        await pair.join()
        assert only(await pair.send())[1].commands == ("RekeyConf",)


async def test_fopts_are_encrypted_in_both_directions(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        await pair.send()
        await w.network.enqueue(pair.dev_eui, 5, b"app", False)
        for fport in (5, None):
            got = only(await pair.send(asks=ASK))[1]
            assert (got.fport, got.commands) == (fport, ("LinkCheckAns",))
            assert pair.life.last.phy[8:9] != ASK
            assert w.air.sent[-1].phy_payload[8:9] != ASK


async def test_a_device_from_before_the_erratum_is_understood_when_its_template_says_so(tmp_path):
    async with world(tmp_path) as w:
        early = {"fopts_before_erratum": True}
        pair = await living(w, "1.1", built=early, network=early)
        assert only(await pair.send())[1].commands == ("RekeyConf",)
        await w.network.enqueue(pair.dev_eui, 5, b"app", False)
        for fport in (5, None):
            got = only(await pair.send(asks=ASK))[1]
            assert (got.fport, got.commands) == (fport, ("LinkCheckAns",))


async def test_a_1_1_device_registered_as_an_older_one_works_on_a_1_0_session(tmp_path):
    """Its NwkKey is the AppKey then."""
    async with world(tmp_path) as w:
        nwk_key = identity.device(1, 1).nwk_key.hex()
        pair = await living(w, "1.1", registered_as="1.0.3", app_key=nwk_key)
        assert pair.device.session.minor == 0
        got = only(await pair.send(confirmed=True, asks=ASK))[1]
        assert (got.ack, got.commands) == (True, ("LinkCheckAns",))
        assert w.air.sent[-1].phy_payload[8] == 0x02  # in clear
        assert pair.session.minor == 0
        pair.device.adr = True
        for _ in range(25):
            await pair.send()
        agree(pair)


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_a_rejoin_gives_new_keys_and_the_old_session_serves_while_the_join_accept_is_lost(tmp_path, rejoin_type):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        await pair.send(b"before")
        w.air.outcomes = [TxOutcome(True), TxOutcome(True)]  # the gateway says so, but the air stays silent
        assert await pair.rejoin(rejoin_type) == []
        w.air.outcomes.clear()
        assert only(await pair.send(b"old keys", confirmed=True))[1].ack
        assert [heard.joined for heard in await pair.rejoin(rejoin_type)] == [True]
        assert "RekeyConf" in only(await pair.send(b"new keys"))[1].commands
        assert pair.device.session.dev_addr == pair.session.dev_addr
        assert [u.data for u in await w.records("uplink")] == [b"before", b"old keys", b"new keys"]
        assert w.network.devices.sessions.count == 1


@pytest.mark.parametrize("rejoin_type", [0, 2])
async def test_a_device_that_rejoins_before_its_first_uplink_is_not_lost(tmp_path, rejoin_type):
    """Its request shows that it has the keys of its last join, so these must not go."""
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        w.air.outcomes = [TxOutcome(True)]
        assert await pair.rejoin(rejoin_type) == []
        w.air.outcomes.clear()
        assert "RekeyConf" in only(await pair.send(b"still there"))[1].commands
        assert w.why() == []


async def test_rejoin_requests_are_counted_anew_in_every_session(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        for n in range(4):
            assert [heard.joined for heard in await pair.rejoin(0)] == [True], n
            await pair.send()
        assert w.why() == []


async def test_a_rejoin_of_type_2_keeps_the_radio_and_one_of_type_0_does_not(tmp_path):
    async with world(tmp_path, regions={"EU868": RegionSettings()}) as w:
        pair = await living(w, "1.1", network={"rx2_dr": 3, "max_duty_cycle": 2})
        for _ in range(3):
            await pair.send()
        mac = pair.device.mac
        assert (mac.rx2_dr, mac.max_duty_cycle) == (3, 2)
        for rejoin_type, duty_cycle in ((2, 2), (0, 0)):
            await pair.rejoin(rejoin_type)
            assert mac.max_duty_cycle == duty_cycle
            assert (mac.rx2_dr, pair.known.pending.rx2_dr) == (3, 3)
            assert only(await pair.send(confirmed=True))[0] == "rx1"
            agree(pair)


async def test_a_rejoin_request_played_again_is_refused(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        await pair.send()
        await pair.rejoin(1)
        await pair.send()
        await pair.rejoin(1)
        old = pair.life.last.phy
        await pair.send()
        w.hear(old)
        await pair.wait(8)
        assert w.why() == [("rj_count_not_above_last", "rj_count 1 is not above the last one 1: a replay")]


async def test_a_person_makes_a_device_rejoin(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        await pair.send()
        w.network.force_rejoin(pair.dev_eui, rejoin_type=2, dr=3)
        assert only(await pair.send(confirmed=True))[1].commands == ("ForceRejoinReq",)
        address = pair.session.dev_addr
        assert [heard.joined for heard in await pair.due_rejoin()] == [True]
        assert pair.life.last.dr == 3
        await pair.send()
        assert pair.session.dev_addr != address
        assert [event.data.get("rejoin_type") for event in await w.events("join")] == [None, 2]
        for _ in range(5):
            await pair.send(confirmed=True)
        assert await pair.due_rejoin() is None


async def test_a_device_rejoins_by_itself_as_often_as_its_template_says(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", network={"rejoin_max_time_n": 0, "rejoin_max_count_n": 0})
        for _ in range(3):
            await pair.send()
        assert (pair.device.mac.rejoin_time_n, pair.device.mac.rejoin_count_n) == (0, 0)
        rejoined = 0
        for _ in range(20):
            await pair.send()
            rejoined += await pair.due_rejoin() is not None
        assert rejoined == 1
        agree(pair)


async def test_reset_ind_brings_an_abp_device_back_to_its_factory_settings_but_not_its_counters(tmp_path):
    async with world(tmp_path, regions={"EU868": RegionSettings()}) as w:
        pair = await living(w, "1.1", activation="abp", network={"rx1_delay_s": 3})
        assert "ResetConf" in only(await pair.send())[1].commands
        for _ in range(3):
            await pair.send(confirmed=True)
        assert (pair.session.rx1_delay_s, pair.device.mac.rx1_delay_s) == (3, 3)
        pair.device.mac.reset()
        pair.device.answers.ask("ResetInd", "ResetConf", minor=1)
        window, got = only(await pair.send())
        assert (window, "ResetConf" in got.commands) == ("rx1", True)
        for _ in range(3):
            assert only(await pair.send(confirmed=True))[0] == "rx1"
        assert pair.device.mac.rx1_delay_s == 3
        assert pair.session.fcnt_up == 7
        agree(pair)


async def test_device_mode_ind_switches_between_class_a_and_c(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, "1.1", network={"device_class": "C"})
        await pair.send()
        for device_class in ("C", "A"):
            pair.device.want_class(device_class)
            assert only(await pair.send())[1].commands == ("DeviceModeConf",)
            assert pair.device.mac.device_class == pair.session.known_radio().device_class == device_class
        told = [event.data for event in await w.events("class_changed")]
        assert told == [{"from": "A", "to": "C"}, {"from": "C", "to": "A"}]


async def test_a_downlink_acknowledged_later_is_signed_with_its_own_counter(tmp_path):
    """ConfFCnt of an uplink is the counter of the downlink acknowledged, whichever came after it."""
    async with world(tmp_path) as w:
        pair = await living(w, "1.1")
        await pair.send()
        for n in range(3):
            await w.network.enqueue(pair.dev_eui, 5, bytes([n]), True)
        for _ in range(4):
            await pair.send(asks=ASK)
        assert [event.data["state"] for event in await w.events("ack")] == ["acked"] * 3
        assert w.why() == []
