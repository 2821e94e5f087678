"""Devices, sessions and frames for the MAC tests, made with the device's half of the crypto."""

from lns.lorawan.crypto import UP, DataMic, PayloadCipher
from lns.lorawan.ids import dev_addr_le
from lns.lorawan.joining import SessionKeys
from lns.lorawan.modulation import Lora, Modulation
from lns.lorawan.phy import MType, build_data
from lns.lorawan.regions import region
from lns.mac.frames import Reception
from lns.mac.session import Device, Session

NWK_S_KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
APP_S_KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
DEV_ADDR = "01020304"
KEYS_1_1 = SessionKeys(*(bytes([n]) * 16 for n in (0xF1, 0x51, 0xE1, 0xA1)))
SF7 = Lora(7, 125_000)


def device(version: str = "1.0.3", device_id: int = 1, region_name: str = "EU868") -> Device:
    return Device(device_id, f"{device_id:016x}", 1, region(region_name), version)


def session(owner: Device | None = None, fcnt_up: int = -1, nwk_s_key: bytes = NWK_S_KEY) -> Session:
    owner = owner or device()
    made = Session(7, owner, DEV_ADDR, nwk_s_key, APP_S_KEY)
    made.fcnt_up = fcnt_up
    owner.session = made
    return made


def session_1_1(owner: Device | None = None, fcnt_up: int = -1) -> Session:
    owner = owner or device("1.1")
    made = Session.of(7, owner, DEV_ADDR, KEYS_1_1, 1)
    made.fcnt_up = fcnt_up
    owner.session = made
    return made


def uplink(
    fcnt: int,
    payload: bytes = b"hello",
    fport: int | None = 10,
    fopts: bytes = b"",
    flags: int = 0,
    confirmed: bool = False,
    nwk_s_key: bytes = NWK_S_KEY,
) -> bytes:
    """A signed uplink with the full 32-bit counter `fcnt`."""
    addr = dev_addr_le(DEV_ADDR)
    key = nwk_s_key if fport == 0 else APP_S_KEY
    data = PayloadCipher(key).apply(payload, addr, fcnt, UP) if payload else b""
    mtype = MType.CONFIRMED_UP if confirmed else MType.UNCONFIRMED_UP
    message = build_data(mtype, DEV_ADDR, flags, fcnt, fopts, fport, data)
    return message + DataMic(nwk_s_key).mic(message, addr, fcnt, UP)


def reception(
    phy: bytes,
    gateway: int = 1,
    snr_db: float | None = 7.0,
    tmst_us: int | None = 1000,
    freq_hz: int = 868_100_000,
    modulation: Modulation = SF7,
    rssi_dbm: float = -80.0,
    gps_time_ms: int | None = None,
    antenna: int | None = None,
) -> Reception:
    return Reception(
        phy,
        f"{gateway:016x}",
        freq_hz,
        modulation,
        rssi_dbm,
        snr_db,
        tmst_us,
        1_700_000_000_000_000,
        gps_time_ms=gps_time_ms,
        antenna=antenna,
    )
