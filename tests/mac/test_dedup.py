import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lns.lorawan.modulation import Lora
from lns.mac.dedup import Copy, Deduplicator
from tests.mac.build import reception

A, B = b"\x40frame-a", b"\x40frame-b"


def test_copies_within_the_window_are_one_frame_with_all_receptions():
    dedup = Deduplicator(0.2, 1.0)
    copies = [reception(A, gateway) for gateway in (1, 2, 3)]
    assert [dedup.add(copy, 10.0 + 0.05 * i) for i, copy in enumerate(copies)] == [Copy.FIRST, Copy.COPY, Copy.COPY]
    assert dedup.deadline() == 10.2
    assert dedup.expire(10.19) == []
    (heard,) = dedup.expire(10.2)
    assert (heard.receptions, heard.opened_at) == (copies, 10.0)
    assert (dedup.deadline(), len(dedup)) == (None, 0)


def test_the_same_octets_on_another_frequency_or_data_rate_are_the_same_frame():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A, 1, freq_hz=868_100_000), 0.0)
    assert dedup.add(reception(A, 1, freq_hz=868_300_000), 0.01) is Copy.COPY
    assert dedup.add(reception(A, 2, modulation=Lora(8, 125_000)), 0.02) is Copy.COPY
    assert len(dedup.expire(1.0)) == 1


def test_a_doubled_datagram_is_not_a_second_copy():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A), 0.0)
    assert dedup.add(reception(A), 0.01) is Copy.SAME_RECEPTION
    dedup.expire(0.2)
    assert dedup.add(reception(A), 0.5) is Copy.SAME_RECEPTION


def test_two_antennas_of_one_gateway_are_two_copies():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A, antenna=0), 0.0)
    assert dedup.add(reception(A, antenna=1), 0.0) is Copy.COPY


def test_a_late_copy_of_another_gateway_is_attached_and_makes_no_second_frame():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A, 1), 0.0)
    (heard,) = dedup.expire(0.2)
    assert dedup.add(reception(A, 2), 0.9) is Copy.LATE
    assert [r.gateway_eui[-1] for r in heard.receptions] == ["1", "2"]
    assert dedup.expire(5.0) == []


def test_a_repetition_by_the_device_is_a_new_frame():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A, tmst_us=1000), 0.0)
    dedup.expire(0.2)
    assert dedup.add(reception(A, tmst_us=900_000), 0.9) is Copy.FIRST


def test_after_the_late_window_any_copy_is_a_new_frame():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A, 1), 0.0)
    dedup.expire(0.2)
    dedup.expire(1.2)
    assert dedup.add(reception(A, 2), 1.3) is Copy.FIRST


def test_drain_hands_out_every_open_frame():
    dedup = Deduplicator(0.2, 1.0)
    dedup.add(reception(A), 0.0)
    dedup.add(reception(B), 0.1)
    assert [heard.receptions[0].phy_payload for heard in dedup.drain()] == [A, B]


@given(st.lists(st.tuples(st.sampled_from([A, B, b"c"]), st.integers(1, 4), st.floats(0, 0.3)), max_size=60))
def test_every_reception_ends_in_exactly_one_frame_or_is_counted(steps):
    dedup, now, seen, handed_out = Deduplicator(0.2, 1.0), 0.0, [], []
    for index, (phy, gateway, wait) in enumerate(steps):
        now += wait
        handed_out += dedup.expire(now)
        copy = msgspec.structs.replace(reception(phy, gateway), tmst_us=index)
        assert dedup.add(copy, now) is not Copy.SAME_RECEPTION
        seen.append(index)
    handed_out += dedup.drain()
    assert sorted(r.tmst_us for heard in handed_out for r in heard.receptions) == seen
