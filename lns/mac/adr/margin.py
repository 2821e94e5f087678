"""The well-known algorithm: the best SNR of 20 uplinks, less the floor and a margin, in steps of 3 dB.

Semtech recommended it, and ChirpStack runs it. Two things differ here: SNRs of uplinks that were sent with less power
count as what full power would have brought, so that the past stays of use after a change; and a device that loses
30 % of its uplinks is made neither faster nor quieter.
"""

from lns.mac.adr.link import Link, Target
from lns.mac.adr.repetition import HEAVY_LOSS, nb_trans
from lns.mac.history import KEPT
from lns.mac.settings import AdrSettings

ENOUGH = KEPT
"""Uplinks since the last change before the next one."""
STEP_DB = 3.0


def decide(link: Link, settings: AdrSettings) -> Target:
    """More power first where the margin is short, never a slower data rate: that is the device's own back-off."""
    start = link.clamped()
    history = link.history
    if history.since_change < ENOUGH:
        return Target(start.dr, start.tx_power, min(start.nb_trans, settings.max_nb_trans))
    loss = history.loss()
    steps, levels = 0, link.levels()
    if levels:
        best_db = max(levels[0][1]) / 4
        left_db = best_db + link.power_db(start.tx_power) - link.floors_db[start.dr] - settings.margin_db
        steps = int(left_db / STEP_DB)
    if steps > 0 and loss >= HEAVY_LOSS:
        steps = 0
    dr, tx_power = _walk(link, start, steps)
    return Target(dr, tx_power, nb_trans(link, settings, loss))


def _walk(link: Link, start: Target, steps: int) -> tuple[int, int]:
    dr, tx_power = start.dr, start.tx_power
    for rate in link.rates:
        if steps > 0 and rate > dr:
            dr = rate
            steps -= 1
    while steps > 0 and tx_power < len(link.powers_db) - 1:
        tx_power += 1
        steps -= 1
    return dr, max(0, tx_power + min(steps, 0))
