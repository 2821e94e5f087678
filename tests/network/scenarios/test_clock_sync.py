"""TS003: a device that lost its clock gets it back from the server, with nothing else to be set up."""

from simulators.clock_sync import ClockSync, DeviceClock
from tests.network.pair import living, only
from tests.network.world import world


async def test_a_clock_that_is_an_hour_wrong_is_set_right_within_a_second_and_a_half(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        clock = DeviceClock(error_s=-3600.0)
        client = ClockSync(clock)
        window, got = only(await pair.send(client.request(pair.life.gps_s), fport=202))
        assert (window, got.fport) == ("rx1", 202)
        client.receive(got.payload, pair.life.gps_s)
        assert abs(clock.gps_s(pair.life.gps_s) - pair.life.gps_s) <= 1.5


async def test_a_clock_that_is_right_is_left_alone(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        assert await pair.send(ClockSync(DeviceClock()).request(pair.life.gps_s), fport=202) == []


async def test_the_answer_goes_before_what_the_application_has_queued(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w)
        await w.network.enqueue(pair.dev_eui, 5, b"app", False)
        client = ClockSync(DeviceClock(error_s=100.0))
        got = only(await pair.send(client.request(pair.life.gps_s), fport=202))[1]
        assert (got.fport, got.fpending) == (202, True)


async def test_a_template_may_leave_the_clock_to_the_application(tmp_path):
    async with world(tmp_path) as w:
        pair = await living(w, network={"clock_sync": False})
        client = ClockSync(DeviceClock(error_s=100.0))
        assert await pair.send(client.request(pair.life.gps_s), fport=202) == []
