"""A device as the MAC sees it, its sessions, and the index by DevAddr.

Plain objects with slots: a hundred thousand of them live in memory. Keyed crypto objects are made on first use and
can be dropped again (`chill`), because they weigh more than everything else of a session.
"""

from array import array
from collections import deque

from lns.lorawan.crypto import DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.regions.region import Region
from lns.mac.queue import DownlinkItem

WARM_LIMIT = 12_000
"""Sessions that keep their crypto objects (about 2 kB each, against 6 us to make them anew)."""
NO_FCNT = -1
"""`Session.fcnt_up` before the first uplink."""


class Device:
    """One end-device: identity, policy, sessions and its downlink queue."""

    __slots__ = (
        "activation",
        "app_key",
        "application_id",
        "awaiting_ack",
        "dev_eui",
        "disabled",
        "fcnt_reset_allowed",
        "id",
        "join_eui",
        "join_nonce",
        "lorawan_version",
        "name",
        "nonces",
        "pending",
        "queue",
        "region",
        "session",
    )

    def __init__(self, device_id: int, dev_eui: str, application_id: int, region: Region, lorawan_version: str) -> None:
        self.id = device_id
        self.dev_eui = dev_eui
        self.application_id = application_id
        self.region = region
        self.lorawan_version = lorawan_version
        self.name = ""
        self.activation = "otaa"
        self.join_eui: str | None = None
        self.app_key: bytes | None = None
        self.join_nonce = 0
        self.nonces: array[int] | None = None
        self.fcnt_reset_allowed = False
        self.disabled = False
        self.session: Session | None = None
        self.pending: Session | None = None
        self.queue: deque[DownlinkItem] | None = None
        self.awaiting_ack: DownlinkItem | None = None

    @property
    def counts_dev_nonces(self) -> bool:
        """LoRaWAN 1.0.4 made the DevNonce a counter; before, it is random."""
        return self.lorawan_version == "1.0.4"

    @property
    def limits_fcnt_gap(self) -> bool:
        """MAX_FCNT_GAP exists before LoRaWAN 1.0.4 only."""
        return self.lorawan_version != "1.0.4"


class Session:
    """Keys, counters and receive-window parameters of one activation.

    `fcnt_up` is the last accepted FCntUp (-1: none), `fcnt_down` the next FCntDown to use; both are 32-bit.
    """

    __slots__ = (
        "_cipher",
        "_mic",
        "app_s_key",
        "created_at_us",
        "dev_addr",
        "dev_addr_le",
        "device",
        "fcnt_down",
        "fcnt_up",
        "id",
        "last_uplink_at_us",
        "nwk_s_key",
        "rx1_delay_s",
        "rx1_dr_offset",
        "rx2_dr",
        "rx2_freq_hz",
        "warm_noted",
    )

    def __init__(self, session_id: int, device: Device, dev_addr: str, nwk_s_key: bytes, app_s_key: bytes) -> None:
        self.id = session_id
        self.device = device
        self.dev_addr = dev_addr
        self.dev_addr_le = dev_addr_le(dev_addr)
        self.nwk_s_key = nwk_s_key
        self.app_s_key = app_s_key
        self.fcnt_up = NO_FCNT
        self.fcnt_down = 0
        self.rx1_delay_s = 1
        self.rx1_dr_offset = 0
        self.rx2_dr = device.region.rx2_dr
        self.rx2_freq_hz = device.region.rx2_freq_hz
        self.created_at_us = 0
        self.last_uplink_at_us: int | None = None
        self._mic: DataMic | None = None
        self._cipher: PayloadCipher | None = None
        self.warm_noted = False

    @property
    def mic(self) -> DataMic:
        """The keyed CMAC of NwkSKey, kept."""
        mic = self._mic
        if mic is None:
            mic = self._mic = DataMic(self.nwk_s_key)
        return mic

    def crypt(self, payload: bytes, fport: int | None, fcnt: int, direction: int) -> bytes:
        """En- or decrypt an FRMPayload: AppSKey, or NwkSKey for FPort 0 (LoRaWAN 1.0) and the relay's FPort 226."""
        if fport in (0, 226):
            return PayloadCipher(self.nwk_s_key).apply(payload, self.dev_addr_le, fcnt, direction)
        cipher = self._cipher
        if cipher is None:
            cipher = self._cipher = PayloadCipher(self.app_s_key)
        return cipher.apply(payload, self.dev_addr_le, fcnt, direction)

    def chill(self) -> None:
        """Drop the keyed crypto objects; the next frame makes new ones."""
        self._mic = None
        self._cipher = None
        self.warm_noted = False


class Sessions:
    """All sessions by DevAddr; an address may belong to many devices."""

    def __init__(self, warm_limit: int = WARM_LIMIT) -> None:
        self._by_addr: dict[str, Session | list[Session]] = {}
        self._warm: deque[Session] = deque()
        self._warm_limit = warm_limit
        self.count = 0

    def candidates(self, dev_addr: str) -> tuple[Session, ...] | list[Session]:
        """Sessions that use `dev_addr`."""
        found = self._by_addr.get(dev_addr)
        if found is None:
            return ()
        return found if isinstance(found, list) else (found,)

    def add(self, session: Session) -> None:
        found = self._by_addr.get(session.dev_addr)
        if found is None:
            self._by_addr[session.dev_addr] = session
        elif isinstance(found, list):
            found.append(session)
        else:
            self._by_addr[session.dev_addr] = [found, session]
        self.count += 1

    def remove(self, session: Session) -> None:
        found = self._by_addr.get(session.dev_addr)
        if isinstance(found, list):
            found.remove(session)
            if len(found) == 1:
                self._by_addr[session.dev_addr] = found[0]
        elif found is session:
            del self._by_addr[session.dev_addr]
        else:
            return
        self.count -= 1

    def __contains__(self, dev_addr: str) -> bool:
        return dev_addr in self._by_addr

    def warmed(self, session: Session) -> None:
        """Note that `session` made its crypto objects; beyond the limit the longest warm one drops its own."""
        session.warm_noted = True
        self._warm.append(session)
        if len(self._warm) > self._warm_limit:
            self._warm.popleft().chill()
