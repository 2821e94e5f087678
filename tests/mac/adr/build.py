"""Histories for the ADR tests."""

from collections.abc import Sequence

from lns.lorawan.regions import region
from lns.mac.adr import decide
from lns.mac.adr.link import Target
from lns.mac.history import GatewayNumbers, History
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings
from tests.mac.talk import START_S, reception

EU868 = region("EU868")
Copies = Sequence[tuple[int, float | None]]
"""Gateway and SNR in dB."""


def heard(uplinks: Sequence[Copies], dr: int = 0, tx_power: int = 0) -> History:
    """A history of these uplinks, of which the empty ones were lost."""
    history, numbers = History(), GatewayNumbers()
    history.changed(tx_power)
    for fcnt, copies in enumerate(uplinks):
        if copies:
            best_first = sorted(copies, key=lambda copy: -99.0 if copy[1] is None else copy[1], reverse=True)
            receptions = [reception(snr_db, gateway, START_S + fcnt) for gateway, snr_db in best_first]
            history.add(fcnt, dr, True, receptions, numbers)
    return history


def steady(snr_db: float | None, uplinks: int = 20, dr: int = 0, tx_power: int = 0, lost: int = 0) -> History:
    """So many uplinks that one gateway heard alike, with `lost` lost ones among them."""
    copies: list[Copies] = [[(1, snr_db)]] * uplinks
    return heard([*copies[:1], *[[]] * lost, *copies[1:]], dr, tx_power)


def radio(dr: int | None = None, tx_power: int = 0, nb_trans: int = 1, region_name: str = "EU868") -> Radio:
    made = Radio(region(region_name))
    made.dr, made.tx_power, made.nb_trans = dr, tx_power, nb_trans
    return made


def decided(history: History, settings: AdrSettings | None = None, **state: int) -> tuple[int, int, int]:
    """Data rate, TXPower and NbTrans for an EU868 device."""
    found: Target = decide(radio(**state), history, settings or AdrSettings(), EU868)
    return found.dr, found.tx_power, found.nb_trans
