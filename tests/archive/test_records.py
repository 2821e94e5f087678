"""Records of the past for outlets: as they were where the log tells, else decoded again."""

from lns.archive.records import Records
from lns.exchange.records import Measurement, Stored
from tests.decoding.build import MINUTE_US, T0, one, scene


async def test_what_nothing_tells_of_is_decoded_again_and_the_rest_is_as_it_was(tmp_path):
    async with scene(tmp_path) as s:
        await s.put(one(1), one(2, 2, b"\xff"), one(3, data=b""))
        then = await s.decoded(3)
        uplinks = [Stored(seq, "uplink", uplink) for seq, uplink in ((11, one(1)), (12, one(2, 2, b"\xff")))]
        uplinks.append(Stored(13, "uplink", one(3, data=b"")))
        records = Records(s.parts, s.parts.codecs.of, link=False)
        again = await records.of(uplinks, {})
        assert [one.seq for one in again] == [11, 11, 12, 12, 13, 13]
        assert [stored.record for stored in again[::2]] == [stored.record for stored in uplinks]
        for made, was in zip([stored.record for stored in again[1::2]], then, strict=True):
            assert (made.id, made.device_id, made.measurements) == (was.id, was.device_id, was.measurements)
            assert (made.data_json, made.warnings, made.failure) == (was.data_json, was.warnings, was.failure)
            assert made.codec_version_id == was.codec_version_id
        known = await records.of(uplinks[:1], {11: (77, then[0])})
        assert known[1] == Stored(77, "decoded", then[0])


async def test_link_measurements_come_along_where_they_are_recorded(tmp_path):
    async with scene(tmp_path) as s:
        records = Records(s.parts, s.parts.codecs.of, link=True)
        (_, made) = await records.of([Stored(11, "uplink", one(1))], {})
        fields = {m.field for m in made.record.measurements}
        assert {"sum", "link.rssi", "link.snr", "link.dr", "link.gateways"} <= fields
        assert Measurement("sum", T0 + MINUTE_US, 15.0) in made.record.measurements


async def test_what_is_made_anew_is_limited_by_itself_and_a_page_asked_for_again_is_the_same(tmp_path):
    async with scene(tmp_path, rules={"sum": {"on_change": False, "max_per_hour": 1}, "text": {}}) as s:
        records = Records(s.parts, s.parts.codecs.of, link=False)
        pages = [[Stored(seq, "uplink", one(seq)) for seq in seqs] for seqs in ((1, 2), (3, 4))]
        made = [[stored.record for stored in (await records.of(page, {}))[1::2]] for page in pages]
        fields = [[[m.field for m in record.measurements] for record in page] for page in made]
        assert fields == [[["sum", "text"], ["text"]], [["text"], ["text"]]]
        assert [record.data_json for record in made[0]] == [b'{"sum":15,"text":"x"}', b'{"text":"x"}']
        assert [record.suppressed for record in made[0]] == [0, 1]
        assert [stored.record for stored in (await records.of(pages[1], {}))[1::2]] == made[1]
