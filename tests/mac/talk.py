"""A device and a network that talk by MAC commands, without frames."""

from typing import Any

from lns.lorawan.commands import parse_commands
from lns.lorawan.joining import SessionKeys
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac import dialogue
from lns.mac.dialogue import Taken, UplinkFacts
from lns.mac.frames import Reception
from lns.mac.history import GatewayNumbers, History
from lns.mac.radio import Radio
from lns.mac.session import Device, Session
from lns.mac.settings import AdrSettings, MacSettings, RegionSettings

DAY_S = 86_400
START_S = 1_700_000_000
KEYS = SessionKeys(bytes(16), b"\x01" * 16, b"\x02" * 16, b"\x03" * 16)
NO_ADR = AdrSettings(algorithm="off")


def reception(snr_db: float | None, gateway: int, at_s: float) -> Reception:
    sf7, at_us = Lora(7, 125_000), int(at_s * 1e6)
    return Reception(b"", f"{gateway:016x}", 868_100_000, sf7, -100.0, snr_db, 0, at_us)


class Talk:
    """`settings` are MacSettings, with ADR off and no DevStatusReq unless said; every uplink comes a minute later."""

    def __init__(
        self,
        version: str = "1.0.3",
        region_name: str = "EU868",
        abp: bool = False,
        network: RegionSettings | None = None,
        cflist: bytes | None = None,
        **settings: Any,
    ) -> None:
        device = Device(1, "0000000000000001", 1, region(region_name), version)
        device.activation = "abp" if abp else "otaa"
        device.settings = MacSettings(**{"adr": NO_ADR, "dev_status_interval_s": 0, **settings})
        self.session = Session.of(7, device, "01020304", KEYS, 1 if version == "1.1" else 0)
        self.session.created_at_us = START_S * 1_000_000
        self.session.history = History()
        if cflist is not None:
            self.session.known_radio().use_cflist(device.region, cflist)
        self.network = network or RegionSettings()
        self.gateways = GatewayNumbers()
        self.now_s = START_S

    @property
    def radio(self) -> Radio:
        return self.session.known_radio()

    def up(
        self,
        commands: str = "",
        dr: int = 5,
        adr: bool = False,
        snrs: tuple[float | None, ...] = (7.0,),
        lost: int = 0,
    ) -> Taken:
        """An uplink with `commands` in hex, heard by a gateway for each of `snrs`, after `lost` that nobody heard."""
        session = self.session
        assert session.history is not None
        self.now_s += 60 * (1 + lost)
        session.fcnt_up += 1 + lost
        heard = [reception(snr_db, gateway, self.now_s) for gateway, snr_db in enumerate(snrs)]
        session.history.add(session.fcnt_up, dr, adr, heard, self.gateways)
        parsed, _ = parse_commands(bytes.fromhex(commands), uplink=True)
        facts = UplinkFacts(heard, session.fcnt_up, dr, adr, self.now_s * 1_000_000)
        return dialogue.take(session, parsed, facts)

    def due(self) -> list[str]:
        """What the network would ask now, in hex, each request once."""
        return [request.octets.hex() for request in dialogue.due(self.session, self.network, self.now_s * 1_000_000)]

    def down(self) -> list[str]:
        """A downlink with everything that is due."""
        requests = dialogue.due(self.session, self.network, self.now_s * 1_000_000)
        dialogue.sent(self.session, requests, self.session.fcnt_down)
        self.session.fcnt_down += 1
        return [request.octets.hex() for request in requests]

    def exchange(self, answers: str = "", **uplink: Any) -> list[str]:
        """An uplink with `answers` and what the network sends then."""
        self.up(answers, **uplink)
        return self.down()
