import pytest
from hypothesis import given
from hypothesis import strategies as st

from lns.mac.history import GATEWAYS_KEPT, KEPT, NEVER_S, Entry, GatewayNumbers, Heard, History
from tests.mac.talk import START_S, reception


def history_of(*fcnts: int, numbers: GatewayNumbers | None = None) -> History:
    history = History()
    for fcnt in fcnts:
        history.add(fcnt, 5, True, [reception(7.0, 1, START_S + fcnt)], numbers or GatewayNumbers())
    return history


def test_entries_are_what_was_heard() -> None:
    history, numbers = History(), GatewayNumbers()
    history.add(1, 5, True, [reception(-7.25, 3, START_S)], numbers)
    history.changed(4)
    history.add(4, 3, True, [reception(9.5, 8, START_S + 9), reception(None, 3, START_S + 9)], numbers)
    assert history.entries() == [
        Entry(1, START_S, 5, 0, (Heard(0, -7.25),)),
        Entry(4, START_S + 9, 3, 4, (Heard(1, 9.5), Heard(0, None))),
    ]
    assert numbers.euis == ["0000000000000003", "0000000000000008"]


@pytest.mark.parametrize(
    ("snr_db", "heard"),
    [
        (31.25, Heard(0, 31.25)),
        (-25.5, Heard(0, -25.5)),
        (7.3, Heard(0, 7.25)),
        (None, Heard(0, None)),
    ],
)
def test_snr_is_kept_in_quarters_of_a_db(snr_db: float | None, heard: Heard) -> None:
    history = History()
    history.add(1, 5, False, [reception(snr_db, 1, START_S)], GatewayNumbers())
    assert history.entries()[0].heard == (heard,)


def test_ring_keeps_the_last_uplinks_in_order() -> None:
    history = history_of(*range(100))
    assert [entry.fcnt for entry in history.entries()] == list(range(100 - KEPT, 100))
    assert history.received == 100


def test_antennas_of_one_gateway_are_one_and_the_best_gateways_are_kept() -> None:
    history = History()
    heard = [reception(9.0 - n, n // 2, START_S) for n in range(12)]
    history.add(1, 5, False, heard, GatewayNumbers())
    assert [heard.snr_db for heard in history.entries()[0].heard] == [9.0, 7.0, 5.0, 3.0][:GATEWAYS_KEPT]


def test_old_copies_do_not_shine_through_a_newer_uplink() -> None:
    history, numbers = History(), GatewayNumbers()
    for fcnt in range(KEPT):
        history.add(fcnt, 5, False, [reception(5.0, n, START_S) for n in range(4)], numbers)
    history.add(KEPT, 5, False, [reception(6.0, 2, START_S)], numbers)
    assert history.entries()[-1].heard == (Heard(2, 6.0),)


@pytest.mark.parametrize(
    ("fcnts", "lost", "loss"),
    [((), 0, 0.0), ((5,), 0, 0.0), ((0, 1, 2, 3), 0, 0.0), ((0, 1, 3, 4), 1, 0.2), ((10, 19), 8, 0.8)],
)
def test_gaps_of_the_counter_are_lost_uplinks(fcnts: tuple[int, ...], lost: int, loss: float) -> None:
    history = history_of(*fcnts)
    assert (history.lost, history.loss()) == (lost, pytest.approx(loss))


def test_loss_is_that_of_the_uplinks_kept() -> None:
    history = history_of(0, 50, *range(51, 51 + KEPT))
    assert (history.lost, history.loss()) == (49, 0.0)


def test_gateways_by_their_mean_the_best_first() -> None:
    history, numbers = History(), GatewayNumbers()
    history.add(1, 5, False, [reception(6.0, 1, START_S), reception(5.0, 2, START_S)], numbers)
    history.add(2, 5, False, [reception(8.0, 2, START_S), reception(None, 3, START_S)], numbers)
    assert history.gateways(numbers) == [("0000000000000002", 6.5), ("0000000000000001", 6.0)]


def test_gateways_beyond_the_numbers_are_not_told_apart() -> None:
    numbers = GatewayNumbers()
    numbers.euis = [f"{n:016x}" for n in range(0xFFFF)]
    history = History()
    history.add(1, 5, False, [reception(6.0, 0xFFFFF, START_S)], numbers)
    assert (history.entries()[0].heard[0].gateway, history.gateways(numbers), len(numbers)) == (0xFFFF, [], 0)


def test_change_of_data_rate_or_adr_bit_asks_for_a_look() -> None:
    history, numbers = History(), GatewayNumbers()
    seen = []
    for dr, adr in ((5, False), (5, False), (4, False), (4, False), (4, True)):
        history.rest(100, NEVER_S)
        history.add(history.fcnt + 1, dr, adr, [reception(6.0, 1, START_S)], numbers)
        seen.append(history.look_in)
    assert seen == [0, 99, 0, 99, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.floats(-31, 31), st.integers(0, 15)),
        max_size=60,
        unique_by=lambda u: u[0],
    )
)
def test_every_uplink_of_the_last_ones_is_read_back(uplinks: list[tuple[int, float, int]]) -> None:
    history, numbers = History(), GatewayNumbers()
    for fcnt, snr_db, dr in uplinks:
        history.add(fcnt, dr, True, [reception(snr_db, 1, START_S)], numbers)
    kept = sorted((fcnt, int(snr_db * 4) / 4, dr) for fcnt, snr_db, dr in uplinks[-KEPT:])
    assert [(entry.fcnt, entry.heard[0].snr_db, entry.dr) for entry in history.entries()] == kept
