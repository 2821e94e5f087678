from lns.lorawan.regions.common import rx1_dr


def test_rx1_is_a_data_rate_slower_for_each_offset() -> None:
    # RP002-1.0.4, EU863-870 downlink data rate table
    assert rx1_dr(7) == {
        0: (0, 0, 0, 0, 0, 0),
        1: (1, 0, 0, 0, 0, 0),
        2: (2, 1, 0, 0, 0, 0),
        3: (3, 2, 1, 0, 0, 0),
        4: (4, 3, 2, 1, 0, 0),
        5: (5, 4, 3, 2, 1, 0),
        6: (6, 5, 4, 3, 2, 1),
        7: (7, 6, 5, 4, 3, 2),
    }
