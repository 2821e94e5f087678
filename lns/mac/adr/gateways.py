"""ADR by the whole history of all gateways: the fastest data rate, then the least power, that still arrives.

The best SNR of 20 uplinks says how good a link can be, not how good it is: with strong fading it lies 7 dB above the
mean. Here each gateway is a chance of its own, with the mean and the spread of what it heard and the share of uplinks
it heard at all; an uplink arrives when one of them hears it.
"""

from bisect import bisect_left
from collections import defaultdict
from math import exp, sqrt
from operator import mul

from lns.mac.adr.link import Link, Target
from lns.mac.adr.repetition import nb_trans
from lns.mac.history import GATEWAYS_KEPT, NOBODY
from lns.mac.settings import AdrSettings

ENOUGH = 8
"""Uplinks since the last change before the next one; fewer of them count for less, see `_station`."""
WANTED = 0.99
"""Chance to arrive that a faster or quieter setting must have."""
KEPT_AT = 0.90
"""Chance to arrive below which the present setting is given up for a slower or louder one."""
_USUAL_MARGIN_DB = AdrSettings().margin_db
_PRIOR_VARIANCE, _PRIOR_WEIGHT = 9.0, 4  # before enough is heard, a spread of 3 dB, as much as four uplinks say
_LOGIT = 1.702  # the logistic curve with this slope is within 0.01 of the normal distribution

Station = tuple[float, float, float]
"""One gateway: cautious mean SNR at full power in dB, slope of its chance over dB, share of time it is there."""


def decide(link: Link, settings: AdrSettings) -> Target:
    """May go slower too: whoever sees the chance sink need not wait for the device's back-off."""
    start = link.clamped()
    history = link.history
    stations = _stations(link) if history.since_change >= ENOUGH else []
    if not stations or not link.rates:
        return Target(start.dr, start.tx_power, min(start.nb_trans, settings.max_nb_trans))
    repeat = nb_trans(link, settings, history.loss())
    # margin_db is a matter of the other algorithm, but whoever wants more of it wants more here too
    extra_db = settings.margin_db - _USUAL_MARGIN_DB
    dr, tx_power = _furthest(stations, link, extra_db)
    if (dr, tx_power) < (start.dr, start.tx_power):  # back on that way
        present_db = link.floors_db[start.dr] - link.power_db(start.tx_power)
        if _chance(stations, present_db + extra_db) >= KEPT_AT:
            return Target(start.dr, start.tx_power, repeat)
    if dr == start.dr and tx_power == start.tx_power + 1:
        return Target(start.dr, start.tx_power, repeat)  # 2 dB are not worth a downlink
    return Target(dr, tx_power, repeat)


def _furthest(stations: list[Station], link: Link, extra_db: float) -> tuple[int, int]:
    """Data rate and TXPower: up the data rates at full power, then down the powers at the highest, while it arrives."""
    floors_db, rates, powers_db = link.floors_db, link.rates, link.powers_db
    needed_db = [floors_db[dr] for dr in rates] + [floors_db[rates[-1]] - power_db for power_db in powers_db[1:]]
    too_far = bisect_left(needed_db, True, key=lambda needed: _chance(stations, needed + extra_db) < WANTED)
    step = max(0, too_far - 1)
    return (rates[step], 0) if step < len(rates) else (rates[-1], step - len(rates) + 1)


def _chance(stations: list[Station], needed_db: float) -> float:
    """That at least one gateway hears an uplink which needs this SNR, were it sent at full power."""
    missed = 1.0
    for mean_db, slope, there in stations:
        missed *= 1 - there / (1 + exp(slope * (needed_db - mean_db)))
    return 1 - missed


def _stations(link: Link) -> list[Station]:
    """The gateways that heard the device, the best of them."""
    heard: defaultdict[int, list[float]] = defaultdict(list)
    levels = link.levels()
    for numbers, snrs in levels:
        for number, snr in zip(numbers, snrs, strict=True):
            heard[number].append(snr)
    heard.pop(NOBODY, None)
    received = len(levels[0][1]) if levels else 0
    now_db = link.floors_db[link.now.dr] - link.power_db(link.now.tx_power)
    stations = [_station(snrs, received, now_db) for snrs in heard.values()]
    return stations if len(stations) <= GATEWAYS_KEPT else sorted(stations, reverse=True)[:GATEWAYS_KEPT]


def _station(snrs: list[float], received: int, now_db: float) -> Station:
    """`snrs` are quarters of a dB, `now_db` is what an uplink needs at present.

    What should have been heard and was not counts as absence of the gateway.
    """
    n = len(snrs)
    mean = sum(snrs) / n
    spread_db = (sum(map(mul, snrs, snrs)) - n * mean * mean) / 16 + _PRIOR_VARIANCE * _PRIOR_WEIGHT
    deviation_db = sqrt(spread_db / (n + _PRIOR_WEIGHT))
    mean_db = mean / 4 - deviation_db / sqrt(n)  # less the standard error of the mean
    slope = _LOGIT / deviation_db
    expected = 1 / (1 + exp(min(50.0, slope * (now_db - mean_db))))
    return mean_db, slope, min(1.0, n / received / expected)
