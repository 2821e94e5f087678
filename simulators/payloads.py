"""What the simulated sensor measures and how it says so: 11 octets on FPort 10, read by codecs/inflight/demo-sensor.

A reading is a function of the device's number and its counter alone, so a ledger needs to keep only these two.
"""

import math
import struct

FPORT = 10
FIELDS = ("temperature", "humidity", "battery", "counter")

_FORMAT = 0x01
# format, temperature in 0.01 degrees, humidity in 0.5 %, battery in mV, counter, flags
_LAYOUT = struct.Struct(">BhBHIB")

# One slow wave for temperature and, upside down, for humidity.
_WAVE = tuple(math.sin(2 * math.pi * step / 1000) for step in range(1000))


def reading(device: int, counter: int) -> bytes:
    """The payload number `counter` (modulo 2**32) of device number `device`."""
    wave = _WAVE[(device * 37 + counter * 3) % 1000]
    temperature = 1800 + device * 13 % 700 + int(650 * wave)
    humidity = 105 - int(45 * wave)
    battery_mv = 3600 - counter // 64 % 900
    return _LAYOUT.pack(_FORMAT, temperature, humidity, battery_mv, counter & 0xFFFF_FFFF, 0)


def expected(payload: bytes) -> dict[str, float]:
    """The measurements that a server must store for `payload`: degrees Celsius, percent, volts, a number."""
    form, temperature, humidity, battery_mv, counter, _ = _LAYOUT.unpack(payload)
    if form != _FORMAT:
        raise ValueError(f"payload format is {form}, only {_FORMAT} is known")
    return dict(zip(FIELDS, (temperature / 100, humidity / 2, battery_mv / 1000, float(counter)), strict=True))
