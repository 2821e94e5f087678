"""The objects in the JSON of a PUSH_DATA, `rxpk` and `stat`, with the protocol's names and units. Pure."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

_Index = Annotated[int, Meta(ge=0, le=65_535)]
_Counter = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
_Word = Annotated[str, Meta(max_length=16)]


class Rsig(Struct, gc=False):
    """One antenna's share of a reception."""

    ant: _Index | None = None
    chan: _Index | None = None
    rssic: float | None = None
    rssis: float | None = None
    lsnr: float | None = None
    foff: Annotated[int, Meta(ge=-10_000_000, le=10_000_000)] | None = None
    ftime: Annotated[int, Meta(ge=0, le=999_999_999)] | None = None


class Rxpk(Struct, gc=False):
    """One received packet; fields and units are the protocol's. An absent `stat` counts as CRC OK: the MIC decides."""

    data: bytes
    freq: Annotated[float, Meta(ge=0.000_001, le=10_000)]
    modu: _Word
    datr: _Word | Annotated[int, Meta(ge=1, le=10_000_000)]
    codr: _Word | None = None
    tmst: _Counter | None = None
    stat: Literal[-1, 0, 1] = 1
    size: int | None = None
    rssi: float | None = None
    lsnr: float | None = None
    chan: _Index | None = None
    rfch: _Index | None = None
    ant: _Index | None = None
    brd: _Index | None = None
    rssis: float | None = None
    foff: Annotated[int, Meta(ge=-10_000_000, le=10_000_000)] | None = None
    time: Annotated[datetime, Meta(tz=True)] | None = None
    tmms: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    ftime: Annotated[int, Meta(ge=0, le=999_999_999)] | None = None
    hpw: _Index | None = None
    rsig: list[Rsig] | None = None


class GatewayStat(Struct, frozen=True, gc=False):
    """A gateway's status report; names and units are the protocol's (`lati` degrees, `alti` m, `ackr` %, `temp` °C)."""

    time: Annotated[str, Meta(max_length=64)] | None = None
    lati: Annotated[float, Meta(ge=-90, le=90)] | None = None
    long: Annotated[float, Meta(ge=-180, le=180)] | None = None
    alti: Annotated[float, Meta(ge=-100_000, le=100_000)] | None = None
    rxnb: _Counter | None = None
    rxok: _Counter | None = None
    rxfw: _Counter | None = None
    ackr: float | None = None
    dwnb: _Counter | None = None
    txnb: _Counter | None = None
    temp: float | None = None
    pfrm: Annotated[str, Meta(max_length=256)] | None = None
    mail: Annotated[str, Meta(max_length=256)] | None = None
    desc: Annotated[str, Meta(max_length=256)] | None = None
