"""ADR by the whole history of all gateways: the fastest data rate, then the least power, that still arrives.

The best SNR of 20 uplinks says how good a link can be, not how good it is: with strong fading it lies 7 dB above the
mean. Here each gateway is a chance of its own, with the mean and the spread of what it heard and the share of uplinks
it heard at all; an uplink arrives when one of them hears it.
"""

from math import exp, sqrt

from lns.mac.adr.link import Link, Target
from lns.mac.adr.repetition import nb_trans
from lns.mac.history import GATEWAYS_KEPT, NO_SNR
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
    columns = link.history.columns()
    shifts = link.shifts(columns[2])
    heard: dict[int, list[float]] = {}
    for at in range(3, len(columns), 2):
        for gateway, snr, shift in zip(columns[at], columns[at + 1], shifts, strict=True):
            if snr != NO_SNR and shift is not None:
                if gateway in heard:
                    heard[gateway].append(snr + shift)
                else:
                    heard[gateway] = [snr + shift]
    now_db = link.floors_db[link.now.dr] - link.power_db(link.now.tx_power)
    received = len(shifts) - shifts.count(None)
    stations = [_station(snrs, received, now_db) for snrs in heard.values()]
    stations.sort(reverse=True)
    return stations[:GATEWAYS_KEPT]


def _station(snrs: list[float], received: int, now_db: float) -> Station:
    """`snrs` are quarters of a dB, `now_db` is what an uplink needs at present.

    What should have been heard and was not counts as absence of the gateway.
    """
    n = len(snrs)
    mean = sum(snrs) / n
    spread_db = (sum([snr * snr for snr in snrs]) - n * mean * mean) / 16 + _PRIOR_VARIANCE * _PRIOR_WEIGHT
    deviation_db = sqrt(spread_db / (n + _PRIOR_WEIGHT))
    mean_db = mean / 4 - deviation_db / sqrt(n)  # less the standard error of the mean
    slope = _LOGIT / deviation_db
    expected = 1 / (1 + exp(min(50.0, slope * (now_db - mean_db))))
    return mean_db, slope, min(1.0, n / received / expected)
