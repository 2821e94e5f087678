"""What is known of gateways as transmitters: round trips, refusals, GPS, airtime used and frames planned."""

from collections.abc import Callable, Iterable
from typing import Protocol

from lns.mac.airplan import AirPlan
from lns.mac.choice import Chooser, GatewayFacts, Refusals
from lns.mac.frames import Reception, Transmission, TxOutcome
from lns.mac.history import GatewayNumbers
from lns.mac.ledger import Ledger
from lns.mac.session import Session

OnOutcome = Callable[[TxOutcome | None], None]

GATEWAYS_ASKED = 4
"""Gateways that are tried for a device that is sent to without an uplink."""


class Gateways(Protocol):
    """What downlinks need of the gateway side."""

    def send(self, transmission: Transmission, on_outcome: OnOutcome) -> str | None:
        """Send a PULL_RESP; returns why it could not be sent. The outcome is None when no TX_ACK came."""

    def round_trip_s(self, gateway_eui: str) -> float:
        """Smoothed time from PULL_RESP to TX_ACK, 0 while unknown."""


class Radios:
    """The gateways' records. `numbers` names gateways in the devices' histories."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self.send = gateways.send
        self.refusals = Refusals()
        self.ledger = Ledger()
        self.plan = AirPlan()
        self.chooser = Chooser(self.ledger, self.plan)
        self.numbers = GatewayNumbers()
        self.with_gps: set[str] = set()

    def facts(self, euis: Iterable[str], now: float) -> dict[str, GatewayFacts]:
        """What the choice between these gateways goes by."""
        round_trip_s, recent, with_gps = self._gateways.round_trip_s, self.refusals.recent, self.with_gps
        return {eui: GatewayFacts(round_trip_s(eui), recent(eui, now), eui in with_gps) for eui in euis}

    def one_way_s(self, receptions: Iterable[Reception]) -> dict[str, float]:
        """How long a frame takes from each gateway to the server: half its round trip, where one is known."""
        return {r.gateway_eui: self._gateways.round_trip_s(r.gateway_eui) / 2 for r in receptions}

    def around(self, session: Session) -> tuple[tuple[str, float], ...]:
        """Gateways that heard the device lately and the SNR in dB, the best first; after a restart those stored."""
        heard = [] if session.history is None else session.history.gateways(self.numbers)
        if heard:
            return tuple(heard[:GATEWAYS_ASKED])
        return () if session.radio is None and session.radio_octets is None else session.known_radio().gateways
