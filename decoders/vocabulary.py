"""The one table of measurement names that dashboards can rely on: name, unit, plausible range, usual spellings. Pure.

Names of The Things Stack's normalised payload are kept where they exist; the rest extends them. `docs/vocabulary.md`
is generated from here. A field that is not in the table is no mistake: it is stored under the author's own name.
"""

import re
from difflib import get_close_matches
from typing import Literal, NamedTuple

Kind = Literal["number", "boolean", "text"]


class Entry(NamedTuple):
    """One name. `low` and `high` are the plausible values in `unit`; `also` are spellings that mean nothing else."""

    name: str
    unit: str | None
    low: float | None
    high: float | None
    meaning: str
    kind: Kind = "number"
    also: tuple[str, ...] = ()


def _flag(name: str, meaning: str, *also: str) -> Entry:
    return Entry(name, None, None, None, meaning, "boolean", also)


def _text(name: str, meaning: str, *also: str) -> Entry:
    return Entry(name, None, None, None, meaning, "text", also)


def _number(name: str, unit: str | None, low: float, high: float, meaning: str, *also: str) -> Entry:
    return Entry(name, unit, low, high, meaning, "number", also)


TABLE = (
    _number("battery", "V", 0, 30, "battery voltage", "batteryVoltage", "battVoltage", "batVoltage", "batV", "vbat"),
    _number("batteryPercent", "%", 0, 100, "charge of the battery", "batteryPct", "batteryLevel", "batteryCapacity"),
    _number("air.temperature", "°C", -60, 100, "air temperature", "ambientTemperature", "airTemp", "ambientTemp"),
    _number("air.relativeHumidity", "%", 0, 100, "relative humidity of the air", "relativeHumidity", "airHumidity"),
    _number("air.dewPoint", "°C", -90, 60, "dew point", "dewPoint"),
    _number(
        "air.pressure", "hPa", 300, 1100, "air pressure at the sensor, not reduced to sea level",
        "barometricPressure", "atmosphericPressure", "airPressure",
    ),
    _number("air.co2", "ppm", 0, 40_000, "carbon dioxide", "co2", "co2Concentration", "co2Level"),
    _number("air.tvoc", "ppb", 0, 60_000, "volatile organic compounds", "tvoc"),
    _number("air.hcho", "ppb", 0, 10_000, "formaldehyde", "hcho"),
    _number("air.o3", "ppb", 0, 10_000, "ozone", "o3", "ozone"),
    _number("air.no2", "ppb", 0, 50_000, "nitrogen dioxide", "no2"),
    _number("air.pm1", "µg/m³", 0, 5000, "particles up to 1 µm", "pm1"),
    _number("air.pm2_5", "µg/m³", 0, 5000, "particles up to 2.5 µm", "pm2_5", "pm25"),
    _number("air.pm10", "µg/m³", 0, 5000, "particles up to 10 µm", "pm10"),
    _number("air.lightIntensity", "lx", 0, 200_000, "illuminance", "illuminance", "lightIntensity", "luminosity"),
    _number("air.soundLevel", "dB", 0, 150, "sound pressure level", "soundLevel", "noiseLevel"),
    _number("air.uvIndex", None, 0, 25, "UV index", "uvIndex"),
    _text("air.location", "indoor or outdoor"),
    _number("solar.irradiance", "W/m²", 0, 2000, "solar irradiance", "solarRadiation", "solarIrradiance"),
    _number("soil.depth", "cm", 0, 1000, "depth of the sensor below the surface", "soilDepth"),
    _number(
        "soil.moisture", "%", 0, 100, "volumetric water content",
        "soilMoisture", "soilHumidity", "volumetricWaterContent", "vwc",
    ),
    _number("soil.temperature", "°C", -60, 100, "soil temperature", "soilTemp"),
    _number("soil.ec", "dS/m", 0, 100, "electrical conductivity", "soilConductivity", "soilEc"),
    _number("soil.pH", None, 0, 14, "pH of the soil", "soilPh"),
    _number("soil.n", "ppm", 0, 1_000_000, "nitrogen", "soilNitrogen"),
    _number("soil.p", "ppm", 0, 1_000_000, "phosphorus", "soilPhosphorus"),
    _number("soil.k", "ppm", 0, 1_000_000, "potassium", "soilPotassium"),
    _number("soil.tension", "kPa", 0, 3000, "suction: how hard water is held", "soilWaterTension", "soilTension"),
    _number("wind.speed", "m/s", 0, 120, "mean wind speed", "windSpeed"),
    _number("wind.gust", "m/s", 0, 150, "wind speed in gusts", "windGust", "gustSpeed"),
    _number("wind.direction", "°", 0, 360, "where the wind comes from, clockwise from north", "windDirection"),
    _number("rain.intensity", "mm/h", 0, 2000, "rain rate", "rainIntensity", "rainRate", "rainfallIntensity"),
    _number("rain.cumulative", "mm", 0, 1e9, "rain since the counter began", "rainfallTotal", "rainCumulative"),
    _flag("water.leak", "water is where none should be", "waterLeak", "leakDetected", "waterLeakDetected"),
    _number("water.temperature.current", "°C", -10, 110, "water temperature now", "waterTemperature", "waterTemp"),
    _number("water.temperature.min", "°C", -10, 110, "lowest in the interval", "waterTemperatureMin"),
    _number("water.temperature.max", "°C", -10, 110, "highest in the interval", "waterTemperatureMax"),
    _number("water.temperature.avg", "°C", -10, 110, "mean of the interval", "waterTemperatureAvg"),
    _number("water.level", "mm", -1000, 12_000_000, "height of the surface above the sensor's zero", "waterLevel"),
    _number("water.pressure", "kPa", 0, 100_000, "pressure in the pipe or on the ground", "waterPressure"),
    _number("water.ec", "dS/m", 0, 500, "electrical conductivity", "waterConductivity", "waterEc"),
    _number("water.pH", None, 0, 14, "pH of the water", "waterPh"),
    _number("distance", "mm", 0, 1_000_000, "from the sensor to what it faces"),
    _number("fillLevel", "%", 0, 100, "how full a tank or container is", "tankLevel"),
    _number("metering.water.total", "l", 0, 1e12, "water since the meter began", "waterTotal", "totalWater"),
    _number("metering.water.flow", "l/h", -1e7, 1e7, "water now; negative: backwards", "waterFlow", "waterFlowRate"),
    _number("metering.gas.total", "m³", 0, 1e9, "gas since the meter began", "gasTotal", "totalGas"),
    _number("metering.heat.total", "kWh", 0, 1e9, "heat since the meter began", "heatTotal"),
    _number(
        "metering.energy.total", "kWh", 0, 1e12, "electric energy since the meter began",
        "energyTotal", "totalEnergy", "activeEnergy",
    ),
    _number("metering.pulses", None, 0, 1e18, "pulses since the counter began", "pulseCount", "pulseCounter"),
    _number("power.active", "W", -1e7, 1e7, "active power; negative: fed in", "activePower"),
    _number("power.voltage", "V", 0, 100_000, "voltage of the line", "lineVoltage", "mainsVoltage"),
    _number("power.current", "A", -10_000, 10_000, "current of the line", "lineCurrent", "mainsCurrent"),
    _number("power.factor", None, -1, 1, "power factor", "powerFactor"),
    _number("power.frequency", "Hz", 0, 1000, "frequency of the line", "lineFrequency", "mainsFrequency"),
    _flag("action.motion.detected", "something moves", "motionDetected", "pirDetected"),
    _number("action.motion.count", None, 0, 1e12, "movements since the counter began", "motionCount"),
    _text("action.contactState", "open or closed", "contactState", "doorState"),
    _flag("action.button.pressed", "the button was pressed", "buttonPressed"),
    _flag("action.tamper", "the case was opened or moved", "tamper", "tamperDetected"),
    _flag("action.vibration", "the device is shaken", "vibrationDetected"),
    _flag("occupancy.detected", "somebody is there", "occupied"),
    _number("occupancy.count", None, 0, 1_000_000, "people there now", "peopleCount"),
    _number("occupancy.in", None, 0, 1e12, "people that came in", "peopleIn", "totalIn"),
    _number("occupancy.out", None, 0, 1e12, "people that went out", "peopleOut", "totalOut"),
    _number("position.latitude", "°", -90, 90, "WGS 84, north is positive", "latitude", "gpsLatitude"),
    _number("position.longitude", "°", -180, 180, "WGS 84, east is positive", "longitude", "gpsLongitude"),
    _number("position.altitude", "m", -500, 50_000, "above the ellipsoid or sea level", "gpsAltitude"),
    _number("position.accuracy", "m", 0, 1_000_000, "radius of the uncertainty", "gpsAccuracy"),
    _number("position.speed", "m/s", 0, 400, "over ground", "gpsSpeed", "groundSpeed"),
    _number("position.heading", "°", 0, 360, "clockwise from north", "gpsHeading"),
    _number("acceleration.x", "g", -200, 200, "along the device's x axis", "accelerationX", "accX"),
    _number("acceleration.y", "g", -200, 200, "along the device's y axis", "accelerationY", "accY"),
    _number("acceleration.z", "g", -200, 200, "along the device's z axis", "accelerationZ", "accZ"),
    _number(
        "device.temperature", "°C", -60, 150, "inside the device",
        "deviceTemperature", "internalTemperature", "boardTemperature", "mcuTemperature",
    ),
)  # fmt: skip

ENTRIES = {entry.name: entry for entry in TABLE}

AMBIGUOUS = {
    "temperature": ("air.temperature", "soil.temperature", "water.temperature.current", "device.temperature"),
    "temp": ("air.temperature", "soil.temperature", "water.temperature.current", "device.temperature"),
    "humidity": ("air.relativeHumidity", "soil.moisture"),
    "hum": ("air.relativeHumidity", "soil.moisture"),
    "moisture": ("soil.moisture",),
    "pressure": ("air.pressure", "water.pressure"),
    "light": ("air.lightIntensity",),
    "lux": ("air.lightIntensity",),
    "noise": ("air.soundLevel",),
    "conductivity": ("soil.ec", "water.ec"),
    "ec": ("soil.ec", "water.ec"),
    "ph": ("soil.pH", "water.pH"),
    "level": ("water.level", "fillLevel", "batteryPercent"),
    "depth": ("soil.depth", "water.level"),
    "voltage": ("battery", "power.voltage"),
    "bat": ("battery", "batteryPercent"),
    "batt": ("battery", "batteryPercent"),
    "current": ("power.current",),
    "power": ("power.active",),
    "energy": ("metering.energy.total",),
    "water": ("metering.water.total", "water.leak"),
    "leak": ("water.leak",),
    "motion": ("action.motion.detected", "action.motion.count"),
    "pir": ("action.motion.detected", "action.motion.count"),
    "door": ("action.contactState",),
    "open": ("action.contactState",),
    "button": ("action.button.pressed",),
    "count": ("metering.pulses", "occupancy.count"),
    "lat": ("position.latitude",),
    "lon": ("position.longitude",),
    "lng": ("position.longitude",),
    "altitude": ("position.altitude",),
    "rain": ("rain.cumulative", "rain.intensity"),
}
"""Names that could mean several things: they are stored as they are, and the author is told of these."""

CUSTOMARY = frozenset(("%", "ppm", "°", "°C", "lx", "V", "hPa", "dB"))
"""Units that go without saying. Another spelling of a name in another unit counts only where its unit is known."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_CLOSE = 0.8


def words(field: str) -> list[str]:
    """The words of a name, lower case: soil_temp, soilTemp and soil.Temp all have soil and temp."""
    return [word.lower() for word in _WORD.findall(field)]


def key(field: str) -> str:
    """What different spellings of a name have in common."""
    return "".join(words(field))


_BY_KEY = {key(spelling): entry for entry in TABLE for spelling in (entry.name, *entry.also)}


def by_key(text: str) -> Entry | None:
    """The entry that a name without punctuation and capitals is a spelling of."""
    return _BY_KEY.get(text)


def suggest(field: str) -> tuple[str, ...]:
    """Names of the table that an author may have meant by an unknown one, likeliest first."""
    last = field.rpartition(".")[2]
    for candidate in (words(field), words(last)):
        while candidate:
            if found := AMBIGUOUS.get("".join(candidate)):
                return found
            if (entry := by_key("".join(candidate))) is not None:
                return (entry.name,)
            candidate = candidate[:-1]  # a unit or a number at the end: temperature_3, temp_c
    close = get_close_matches(key(field), _BY_KEY, n=3, cutoff=_CLOSE)
    return tuple(dict.fromkeys(_BY_KEY[found].name for found in close))
