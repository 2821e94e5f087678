"""The network's half for one fleet, on the small UDP server: answers joins and confirmed uplinks, nothing else."""

import time
from collections.abc import Sequence

from lns.gateways.semtech import PushData
from lns.lorawan.commands import encode_command
from lns.lorawan.crypto import DOWN, UP, DataMic, PayloadCipher, encrypt_join_accept, session_keys_1_0
from lns.lorawan.fcnt import reconstruct
from lns.lorawan.gpstime import gps_from_unix
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.phy import ACK, DataFrame, JoinAccept, JoinRequest, MType, build_data, parse_uplink
from lns.lorawan.regions.region import Region
from lns.mac.frames import Reception, Transmission
from simulators.identity import Identity
from simulators.payloads import expected
from tests.simulators.server import Server


class Session:
    """Keys and counters of a device as the network has them."""

    def __init__(self, dev_eui: str, nwk_s_key: bytes, app_s_key: bytes) -> None:
        self.dev_eui = dev_eui
        self.mic, self.cipher = DataMic(nwk_s_key), PayloadCipher(app_s_key)
        self.fcnt_up, self.fcnt_down = -1, 0


class Network:
    """`received` is (DevEUI, FCntUp, fields) of each uplink once; copies are told apart by their octets alone."""

    def __init__(self, server: Server, region: Region, people: Sequence[Identity]) -> None:
        self.received: list[tuple[str, int, dict[str, float]]] = []
        self.copies = 0
        self._server, self._region = server, region
        self._people = {who.dev_eui: who for who in people}
        self._seen: set[bytes] = set()
        self._sessions = {who.dev_addr: Session(who.dev_eui, who.nwk_s_key, who.app_s_key) for who in people}
        self._joins = 0
        server.on_push = self._push

    def _push(self, message: PushData) -> None:
        for reception in message.receptions:
            self.copies += 1
            if reception.phy_payload not in self._seen:
                self._seen.add(reception.phy_payload)
                frame = parse_uplink(reception.phy_payload)
                if isinstance(frame, JoinRequest):
                    self._join(frame, reception)
                elif isinstance(frame, DataFrame):
                    self._data(frame, reception)

    def _join(self, request: JoinRequest, reception: Reception) -> None:
        app_key = self._people[request.dev_eui].app_key
        self._joins += 1
        dev_addr = f"{0x0100_0000 + self._joins:08x}"
        accept = JoinAccept(self._joins, "000000", dev_addr, False, 0, self._region.rx2_dr, 1, None)
        keys = session_keys_1_0(app_key, self._joins, "000000", request.dev_nonce)
        self._sessions[dev_addr] = Session(request.dev_eui, *keys)
        self._answer(encrypt_join_accept(app_key, accept), reception, self._region.join_accept_delay1_s)

    def _data(self, frame: DataFrame, reception: Reception) -> None:
        session = self._sessions[frame.dev_addr]
        address = dev_addr_le(frame.dev_addr)
        fcnt = reconstruct(session.fcnt_up, frame.fcnt16)
        assert session.mic.mic(reception.phy_payload[:-4], address, fcnt, UP) == frame.mic
        session.fcnt_up = fcnt
        payload = session.cipher.apply(frame.frm_payload, address, fcnt, UP)
        self.received.append((session.dev_eui, fcnt, expected(payload)))
        fopts = b""
        if frame.fopts:
            seconds, fraction = divmod(gps_from_unix(time.time()), 1)
            fopts = encode_command("LinkCheckAns", uplink=False, margin=20, gw_cnt=1)
            fopts += encode_command(
                "DeviceTimeAns", uplink=False, gps_seconds=int(seconds), fraction_256=int(256 * fraction)
            )
        if frame.confirmed or fopts:
            flags = ACK if frame.confirmed else 0
            message = build_data(MType.UNCONFIRMED_DOWN, frame.dev_addr, flags, session.fcnt_down, fopts, None, b"")
            mic = session.mic.mic(message, address, session.fcnt_down, DOWN)
            session.fcnt_down += 1
            self._answer(message + mic, reception, 1)

    def _answer(self, phy: bytes, reception: Reception, delay_s: int) -> None:
        assert reception.tmst_us is not None
        dr = self._region.uplink_dr(reception.modulation)
        assert dr is not None
        freq_hz, down_dr = self._region.rx1(reception.freq_hz, dr, 0)
        tmst_us = (reception.tmst_us + delay_s * 1_000_000) & 0xFFFF_FFFF
        modulation = self._region.downlink_modulation(down_dr)
        self._server.send(Transmission(phy, reception.gateway_eui, freq_hz, modulation, 14.0, tmst_us))
