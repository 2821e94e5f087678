"""A device as the MAC sees it, its sessions, and the index by DevAddr.

Plain objects with slots: a hundred thousand of them live in memory. Keyed crypto objects are made on first use and
can be dropped again (`chill`), because they weigh more than everything else of a session.
"""

from array import array
from collections import deque

from lns.lorawan.crypto import DOWN, DataMic, PayloadCipher
from lns.lorawan.crypto11 import DataMic11, FOptsCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joining import SessionKeys
from lns.lorawan.regions.region import Region
from lns.mac.history import History
from lns.mac.queue import DownlinkItem
from lns.mac.radio import Radio
from lns.mac.settings import DEFAULT, MacSettings

WARM_LIMIT = 12_000
"""Sessions that keep their crypto objects (about 2 kB each, against 6 us to make them anew)."""
NO_FCNT = -1
"""`Session.fcnt_up` before the first uplink."""


class Device:
    """One end-device: identity, policy, sessions and its downlink queue.

    `rj_count0` and `rj_count1` are the last RJcounts accepted (-1: none).
    """

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
        "nwk_key",
        "pending",
        "queue",
        "region",
        "rj_count0",
        "rj_count1",
        "session",
        "settings",
    )

    def __init__(self, device_id: int, dev_eui: str, application_id: int, region: Region, lorawan_version: str) -> None:
        self.id = device_id
        self.dev_eui = dev_eui
        self.application_id = application_id
        self.region = region
        self.lorawan_version = lorawan_version
        self.settings: MacSettings = DEFAULT
        self.name = ""
        self.activation = "otaa"
        self.join_eui: str | None = None
        self.app_key: bytes | None = None
        self.nwk_key: bytes | None = None
        self.join_nonce = 0
        self.nonces: array[int] | None = None
        self.rj_count0 = -1
        self.rj_count1 = -1
        self.fcnt_reset_allowed = False
        self.disabled = False
        self.session: Session | None = None
        self.pending: Session | None = None
        self.queue: deque[DownlinkItem] | None = None
        self.awaiting_ack: DownlinkItem | None = None

    @property
    def counts_dev_nonces(self) -> bool:
        """LoRaWAN 1.0.4 made the DevNonce a counter; before, it is random."""
        return self.lorawan_version in ("1.0.4", "1.1")

    @property
    def limits_fcnt_gap(self) -> bool:
        """MAX_FCNT_GAP exists before LoRaWAN 1.0.4 only."""
        return self.lorawan_version not in ("1.0.4", "1.1")

    @property
    def root_key(self) -> bytes | None:
        """The key of joins: the AppKey of 1.0.x, the NwkKey of 1.1."""
        return self.nwk_key if self.lorawan_version == "1.1" else self.app_key


class Session:
    """Keys, counters and receive-window parameters of one activation.

    `fcnt_up` is the last accepted FCntUp (-1: none), `fcnt_down` the next FCntDown to use, of 1.1 the NFCntDown beside
    `afcnt_down`; all are 32-bit. `conf_fcnts_down` are those of the last confirmed downlink's attempts. `nwk_s_key`
    is the FNwkSIntKey where there are `keys_1_1`. `radio` is None while nobody had to look at it, and `radio_octets`
    what it is made of then; octets, because a hundred thousand sessions share the few that a join-accept can give.
    """

    __slots__ = (
        "_cipher",
        "_mic",
        "_mic_1_1",
        "afcnt_down",
        "app_s_key",
        "conf_fcnts_down",
        "created_at_us",
        "dev_addr",
        "dev_addr_le",
        "device",
        "fcnt_down",
        "fcnt_up",
        "history",
        "id",
        "keys_1_1",
        "last_uplink_at_us",
        "nwk_s_key",
        "radio",
        "radio_octets",
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
        self.keys_1_1: SessionKeys | None = None
        self.fcnt_up = NO_FCNT
        self.fcnt_down = 0
        self.afcnt_down = 0
        self.conf_fcnts_down: tuple[int, ...] = ()
        self.rx1_delay_s = 1
        self.rx1_dr_offset = 0
        self.rx2_dr = device.region.rx2_dr
        self.rx2_freq_hz = device.region.rx2_freq_hz
        self.radio: Radio | None = None
        self.radio_octets: bytes | None = None
        self.history: History | None = None
        self.created_at_us = 0
        self.last_uplink_at_us: int | None = None
        self._mic: DataMic | None = None
        self._mic_1_1: DataMic11 | None = None
        self._cipher: PayloadCipher | None = None
        self.warm_noted = False

    @classmethod
    def of(cls, session_id: int, device: Device, dev_addr: str, keys: SessionKeys, minor: int) -> "Session":
        """A session of LoRaWAN 1.`minor`; in one of 1.0 the three network keys are the NwkSKey."""
        session = cls(session_id, device, dev_addr, keys.f_nwk_s_int_key, keys.app_s_key)
        session.keys_1_1 = keys if minor else None
        return session

    @property
    def minor(self) -> int:
        """1 for a session of LoRaWAN 1.1, 0 for one of 1.0.x, which a 1.1 device may be given too."""
        return 0 if self.keys_1_1 is None else 1

    @property
    def abp(self) -> bool:
        return self.device.activation == "abp"

    @property
    def keys(self) -> SessionKeys:
        """All four keys, whatever the version."""
        if self.keys_1_1 is not None:
            return self.keys_1_1
        return SessionKeys(self.nwk_s_key, self.nwk_s_key, self.nwk_s_key, self.app_s_key)

    @property
    def mic(self) -> DataMic:
        """The keyed CMAC of NwkSKey, kept; sessions of 1.0."""
        mic = self._mic
        if mic is None:
            mic = self._mic = DataMic(self.nwk_s_key)
        return mic

    @property
    def mic_1_1(self) -> DataMic11:
        """The two keyed CMACs of a 1.1 session, kept."""
        if self._mic_1_1 is None:
            assert self.keys_1_1 is not None
            self._mic_1_1 = DataMic11(self.keys_1_1.f_nwk_s_int_key, self.keys_1_1.s_nwk_s_int_key)
        return self._mic_1_1

    def sign(self, message: bytes, fcnt: int, conf_fcnt_up: int) -> bytes:
        """The MIC of a downlink; `conf_fcnt_up` is the uplink it acknowledges, 0 without ACK (1.1 only)."""
        if self.keys_1_1 is None:
            return self.mic.mic(message, self.dev_addr_le, fcnt, DOWN)
        return self.mic_1_1.downlink(message, self.dev_addr_le, fcnt, conf_fcnt_up)

    def crypt(self, payload: bytes, fport: int | None, fcnt: int, direction: int) -> bytes:
        """En- or decrypt an FRMPayload: AppSKey, or the network's key for FPort 0 and the relay's FPort 226."""
        if fport in (0, 226):
            keys = self.keys_1_1
            key = self.nwk_s_key if keys is None else keys.nwk_s_enc_key
            return PayloadCipher(key).apply(payload, self.dev_addr_le, fcnt, direction)
        cipher = self._cipher
        if cipher is None:
            cipher = self._cipher = PayloadCipher(self.app_s_key)
        return cipher.apply(payload, self.dev_addr_le, fcnt, direction)

    def crypt_fopts(self, fopts: bytes, fcnt: int, direction: int, afcnt: bool) -> bytes:
        """En- or decrypt the FOpts of a 1.1 session; 1.0 has them in clear. `afcnt`: a downlink with FPort above 0."""
        if self.keys_1_1 is None:
            return fopts
        before_erratum = self.device.settings.fopts_before_erratum
        cipher = FOptsCipher(self.keys_1_1.nwk_s_enc_key)
        return cipher.apply(fopts, self.dev_addr_le, fcnt, direction, afcnt, before_erratum)

    def known_radio(self) -> Radio:
        """What the device has, made at first use from what is stored or from the region's defaults."""
        radio = self.radio
        if radio is None:
            region, octets = self.device.region, self.radio_octets
            radio = self.radio = Radio(region) if octets is None else Radio.load(region, octets)
        return radio

    def chill(self) -> None:
        """Drop the keyed crypto objects; the next frame makes new ones."""
        self._mic = None
        self._mic_1_1 = None
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
