"""ADR by the whole history of all gateways: the fastest data rate, then the least power, that still arrives.

The best SNR of 20 uplinks says how good a link can be, not how good it is: with strong fading it lies 7 dB above the
mean. Here each gateway is a chance of its own, with the mean and the spread of what it heard and the share of uplinks
it heard at all; an uplink arrives when one of them hears it.
"""

from math import exp, sqrt

from lns.mac.adr.link import Link, Target
from lns.mac.adr.repetition import nb_trans
from lns.mac.history import GATEWAYS_KEPT
from lns.mac.settings import AdrSettings

ENOUGH = 8
"""Uplinks since the last change before the next one; fewer of them count for less, see `_station`."""
WANTED = 0.98
"""Chance to arrive that a faster or quieter setting must have."""
KEPT_AT = 0.90
"""Chance to arrive below which the present setting is given up for a slower or louder one."""
_USUAL_MARGIN_DB = AdrSettings().margin_db
_PRIOR_VARIANCE, _PRIOR_WEIGHT = 9.0, 4  # before enough is heard, a spread of 3 dB, as much as four uplinks say
_LOGIT = 1.702  # the logistic curve with this slope is within 0.01 of the normal distribution
_NO_SNR = -128

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
    floors_db = {dr: link.floors_db[dr] + settings.margin_db - _USUAL_MARGIN_DB for dr in link.rates}
    dr = next((dr for dr in reversed(link.rates) if _chance(stations, floors_db[dr]) >= WANTED), link.rates[0])
    powers = range(len(link.powers_db) - 1, 0, -1)
    quiet = next((n for n in powers if _chance(stations, floors_db[dr] - link.powers_db[n]) >= WANTED), 0)
    worse = (dr, -quiet) < (start.dr, -start.tx_power)
    if worse and _chance(stations, floors_db[start.dr] - link.power_db(start.tx_power)) >= KEPT_AT:
        return Target(start.dr, start.tx_power, repeat)
    if dr == start.dr and quiet == start.tx_power + 1:
        return Target(start.dr, start.tx_power, repeat)  # 2 dB are not worth a downlink
    return Target(dr, quiet, repeat)


def _chance(stations: list[Station], needed_db: float) -> float:
    """That at least one gateway hears an uplink which needs this SNR, were it sent at full power."""
    missed = 1.0
    for mean_db, slope, there in stations:
        missed *= 1 - there / (1 + exp(slope * (needed_db - mean_db)))
    return 1 - missed


def _stations(link: Link) -> list[Station]:
    """The gateways that heard the device, the four best at most."""
    powers_db, widths_db = link.powers_db, link.widths_db
    last = len(powers_db) - 1
    heard: dict[int, list[float]] = {}
    received = 0
    for row in link.history.rows():
        dr = row[2] & 15
        if dr not in widths_db:
            continue
        received += 1
        full_db = widths_db[dr] - powers_db[min(row[2] >> 4, last)]
        for at in range(4, 4 + 3 * row[3], 3):
            if row[at + 1] != _NO_SNR:
                snr_db = row[at + 1] / 4 + full_db
                if row[at] in heard:
                    heard[row[at]].append(snr_db)
                else:
                    heard[row[at]] = [snr_db]
    now_db = link.floors_db[link.now.dr] - link.power_db(link.now.tx_power)
    stations = [_station(snrs_db, received, now_db) for snrs_db in heard.values()]
    stations.sort(reverse=True)
    return stations[:GATEWAYS_KEPT]


def _station(snrs_db: list[float], received: int, now_db: float) -> Station:
    """`now_db` is what an uplink needs at present; what should have been heard and was not counts as absence."""
    n = len(snrs_db)
    mean_db = sum(snrs_db) / n
    spread = sum([(snr_db - mean_db) ** 2 for snr_db in snrs_db]) + _PRIOR_VARIANCE * _PRIOR_WEIGHT
    deviation_db = sqrt(spread / (n + _PRIOR_WEIGHT))
    mean_db -= deviation_db / sqrt(n)  # the standard error of the mean
    slope = _LOGIT / deviation_db
    expected = 1 / (1 + exp(min(50.0, slope * (now_db - mean_db))))
    return mean_db, slope, min(1.0, n / received / expected)
