"""Stored uplinks are decoded again: with a real log, worker process, registry and store."""

import asyncio

import pytest

from lns.decoding.corrections import Difference, FieldCount
from lns.decoding.jobs import Spec
from lns.decoding.parts import Parts, Refused
from lns.decoding.replay import Replays
from lns.exchange.records import Measurement, Replay
from lns.registry.errors import RegistryError
from tests.decoding.build import MINUTE_US, T0, one, scene

DOUBLED = "function decodeUplink(i) { return {data: {sum: 2 * i.bytes[0], text: 'x'}}; }"
RENAMED = "function decodeUplink(i) { return {data: {total: i.bytes[0] + i.fPort, text: 'x'}}; }"


def counts(job):
    report = job.report
    return (report.uplinks, report.corrected, report.unchanged, report.added, report.changed, report.removed)


async def test_measurements_are_rewritten_and_a_second_run_changes_nothing(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n, data=bytes([n])) for n in range(1, 6)))
        await s.decoded(5)
        await s.use("good", DOUBLED)
        job = await s.replay(codec="good")
        assert (job.state, job.error, counts(job)) == ("done", None, (5, 5, 0, 0, 5, 0))
        assert job.report.fields == {"sum": FieldCount(changed=5)}
        assert job.report.examples[0].difference == Difference("sum", T0 + MINUTE_US, 11.0, 2.0)
        expected = {(1, "sum", n): 2.0 * n for n in range(1, 6)} | {(1, "text", n): "x" for n in range(1, 6)}
        assert await s.rows() == expected
        head = s.exchange.head_seq
        assert counts(await s.replay(codec="good")) == (5, 0, 5, 0, 0, 0)
        assert await s.rows() == expected
        assert s.exchange.head_seq == head


@pytest.mark.parametrize("remove", [True, False])
async def test_fields_that_are_given_no_more_go_or_stay(tmp_path, remove):
    async with scene(tmp_path) as s:
        await s.put(one(1), one(2))
        await s.decoded(2)
        await s.use("good", RENAMED)
        job = await s.replay(codec="good", remove=remove)
        assert counts(job) == (2, 2, 0, 2, 0, 2 if remove else 0)
        left = {} if remove else {(1, "sum", 1): 15.0, (1, "sum", 2): 15.0}
        assert await s.rows() == left | {(1, f, n): v for n in (1, 2) for f, v in (("text", "x"), ("total", 15.0))}
        assert await s.series.fields(1) == (["text", "total"] if remove else ["sum", "text", "total"])


async def test_a_dry_run_reports_the_same_and_writes_nothing(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1), one(2, 2, b"\xff"))
        await s.decoded(2)
        await s.use("good", RENAMED)
        before, head = await s.rows(), s.exchange.head_seq
        dry = await s.replay(dry_run=True)
        assert (await s.rows(), s.exchange.head_seq) == (before, head)
        real = await s.replay()
        assert dry.report == real.report
        assert counts(real) == (2, 1, 0, 1, 0, 1)
        assert real.report.failed == {"exception": 1}


async def test_what_fails_keeps_its_measurements_and_failures_are_mended(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1, 2, b"\xff"), one(2, 2, b"\x07"), one(3, 2, b"\xff"), one(4))
        await s.decoded(4)
        stricter = "function decodeUplink(i) { if (i.bytes[0] < 9) throw new Error('less'); return {data: {v: 1}}; }"
        await s.use("bad", stricter)
        job = await s.replay(failures=True)
        assert (counts(job), job.report.mended, job.report.failed) == ((2, 2, 0, 2, 0, 0), 2, {})
        assert s.registry.failures.page() == []
        job = await s.replay(codec="bad")
        assert (counts(job), job.report.failed) == ((3, 0, 2, 0, 0, 0), {"exception": 1})
        assert [await s.rows()] == [
            {(1, "sum", 4): 15.0, (1, "text", 4): "x", (2, "v", 1): 1.0, (2, "v", 2): 7.0, (2, "v", 3): 1.0}
        ]
        assert s.registry.failures.page() == []  # the live decode went through: it is no failure of the fleet


async def test_a_failure_that_fails_again_shows_the_new_reason(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1, 2, b"\xff"))
        await s.decoded(1)
        await s.use("bad", "function decodeUplink(i) { return {errors: ['still']}; }")
        job = await s.replay(failures=True)
        assert (job.report.failed, job.report.mended) == ({"script_error": 1}, 0)
        (listed,) = s.registry.failures.page()
        assert (listed.uplink_seq, listed.reason, listed.message, listed.codec_version) == (
            1,
            "script_error",
            "still",
            2,
        )


async def test_store_on_change_decides_what_is_added_as_it_did_live(tmp_path):
    rules = {"sum": {"deadband_abs": 2.0, "heartbeat_s": 0}, "total": {"deadband_abs": 2.0, "heartbeat_s": 240}}
    async with scene(tmp_path, rules={**rules, "text": {"heartbeat_s": 0}}) as s:
        await s.put(*(one(n, data=bytes([n])) for n in range(1, 8)))
        await s.decoded(7)
        assert await s.rows() == {(1, "sum", n): 10.0 + n for n in (1, 3, 5, 7)} | {(1, "text", 1): "x"}
        slow = "function decodeUplink(i) { return {data: {total: i.bytes[0] / 4, text: 'x'}}; }"
        await s.use("good", slow)
        job = await s.replay(codec="good")
        expected = {(1, "total", 1): 0.25, (1, "total", 5): 1.25, (1, "text", 1): "x"}
        assert (await s.rows(), counts(job)) == (expected, (7, 4, 3, 2, 0, 4))
        # a part of it, begun later, finds what the first run has stored
        job = await s.replay(codec="good", since_us=T0 + 3 * MINUTE_US)
        assert (await s.rows(), counts(job)) == (expected, (5, 0, 5, 0, 0, 0))


async def test_a_stored_value_is_corrected_even_where_the_change_is_small(tmp_path):
    async with scene(tmp_path, rules={"sum": {"deadband_abs": 100.0}, "text": {"heartbeat_s": 0}}) as s:
        await s.put(one(1, data=b"\x01"), one(2, data=b"\x02"))
        await s.decoded(2)
        await s.use("good", DOUBLED)
        assert counts(await s.replay(codec="good")) == (2, 1, 1, 0, 1, 0)
        assert await s.rows() == {(1, "sum", 1): 2.0, (1, "text", 1): "x"}


async def test_wrong_times_of_a_logger_are_taken_back(tmp_path):
    source = "function decodeUplink(i) {{ var t = {}; return {{data: {{log: [{{time: t, v: i.bytes[0]}}], n: 1}}}}; }}"
    async with scene(tmp_path) as s:
        await s.use("good", source.format((T0 // 1_000_000) + 3600))
        await s.put(one(1), one(2, data=b"\x06"))
        await s.decoded(2)
        assert (await s.rows())[(1, "log.v", 60)] == 6.0
        await s.use("good", source.format("i.recvTime.getTime() / 1000 - 600"))
        job = await s.replay(codec="good")
        assert await s.rows() == {(1, "n", 1): 1.0, (1, "n", 2): 1.0, (1, "log.v", -9): 5.0, (1, "log.v", -8): 6.0}
        assert counts(job) == (2, 2, 0, 2, 0, 1)


async def test_only_what_was_asked_for_is_touched(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n, device, bytes([n])) for n in range(1, 5) for device in (1, 2)))
        await s.decoded(8)
        await s.use("good", DOUBLED)
        await s.use("bad", "function decodeUplink(i) { return {data: {v: 100}}; }")
        job = await s.replay(codec="good", since_us=T0 + 2 * MINUTE_US, until_us=T0 + 4 * MINUTE_US)
        assert counts(job) == (2, 2, 0, 0, 2, 0)
        assert counts(await s.replay(devices=(f"{2:016x}",))) == (4, 4, 0, 0, 4, 0)
        assert counts(await s.replay(codec="good", version=1)) == (4, 2, 2, 0, 2, 0)
        rows = await s.rows()
        assert {key: value for key, value in rows.items() if key[1] != "text"} == {
            **{(1, "sum", n): 10.0 + n for n in range(1, 5)},
            **{(2, "v", n): 100.0 for n in range(1, 5)},
        }


@pytest.mark.parametrize("outlets", [True, False])
async def test_corrections_are_marked_and_hold_only_what_differs(tmp_path, outlets):
    async with scene(tmp_path) as s:
        await s.put(one(1))
        await s.decoded(1)
        await s.use("good", RENAMED)
        job = await s.replay(codec="good", outlets=outlets)
        correction = (await s.decoded(2))[1]
        at_us = T0 + MINUTE_US
        assert correction.replay == Replay(job.id, outlets, (("sum", at_us),))
        assert correction.measurements == (Measurement("total", at_us, 15.0),)
        assert correction.data_json == (b'{"total":15,"text":"x"}' if outlets else b"{}")
        assert (correction.uplink_seq, correction.id) == (1, one(1).id)


async def test_link_measurements_stay(tmp_path):
    from lns.config import Measurements

    async with scene(tmp_path, Measurements()) as s:
        await s.put(one(1))
        await s.decoded(1)
        await s.use("good", RENAMED)
        await s.replay(codec="good")
        links = {"link.rssi", "link.snr", "link.dr", "link.gateways"}
        assert {field for _, field, _ in await s.rows()} == {"total", "text", *links}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Spec(codec="good", version=7), "codec 'good' has no version 7, it has 1 to 1"),
        (Spec(codec="none"), "codec 'none' does not exist"),
        (Spec(version=1), "version is 1, but no codec is named"),
    ],
)
async def test_what_cannot_be_done_is_refused(tmp_path, spec, text):
    async with scene(tmp_path) as s:
        with pytest.raises((Refused, RegistryError), match=f"^{text}$"):
            await s.replays.start(spec)
        assert s.replays.jobs() == []


async def test_without_a_store_there_is_nothing_to_correct(tmp_path):
    async with scene(tmp_path) as s:
        p = s.parts
        replays = Replays(Parts(p.registry, p.exchange, p.pool, p.codecs, None), None)
        with pytest.raises(Refused, match="measurements are not kept here"):
            await replays.start(Spec())


async def test_a_cancelled_job_stops_and_jobs_are_listed_newest_first(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n) for n in range(1, 2501)))
        await s.decoded(2500)
        await s.rows()
        await s.use("good", DOUBLED)
        job = await s.replays.start(Spec(codec="good", max_per_s=1000.0))
        other = await s.replays.start(Spec(codec="bad"))
        async with asyncio.timeout(20):
            while not job.report.uplinks:
                await asyncio.sleep(0.01)
        progress = s.replays.progress(job)
        assert 0 < progress.done < 1
        assert progress.rate_per_s > 0
        assert progress.remaining_s > 0
        assert s.replays.cancel(job.id) is job
        assert (await s.replays.finished(other.id)).state == "done"
        assert (job.state, job.report.uplinks) == ("cancelled", 1000)
        assert s.replays.jobs() == [other, job]
        assert s.replays.job(job.id) is job
        assert s.replays.cancel("none") is None


async def test_finished_jobs_are_there_after_a_restart(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1))
        await s.decoded(1)
        await s.use("good", DOUBLED)
        job = await s.replay(codec="good")
        await s.replay(codec="good", dry_run=True)
        await s.exchange.committed()
    async with scene(tmp_path) as s:
        assert s.replays.jobs() == [job]
        assert s.replays.progress(job).done == 1.0


async def test_a_script_that_is_run_no_more_ends_the_job(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(*(one(n, data=b"\x01") for n in range(1, 151)))
        await s.decoded(150)
        await s.use("good", "function decodeUplink(i) { return {data: {sum: 1}}; }")
        s.parts.pool._strikes.parked[f"{s.parts.codecs.of(1).key}/ts013"] = "for the test"
        job = await s.replay(codec="good")
        assert (job.state, job.error) == (
            "failed",
            "parked: this version of the codec is not run any more: for the test",
        )
        assert (await s.rows())[(1, "sum", 1)] == 11.0
