"""GPS time, which has no leap seconds, from and to Unix time, which repeats them."""

_EPOCH_UNIX_S = 315_964_800  # 1980-01-06T00:00:00Z

# Unix time at which each leap second since the GPS epoch had been inserted.
_LEAPS_UNIX_S = (
    362_793_600,  # 1981-07-01
    394_329_600,  # 1982-07-01
    425_865_600,  # 1983-07-01
    489_024_000,  # 1985-07-01
    567_993_600,  # 1988-01-01
    631_152_000,  # 1990-01-01
    662_688_000,  # 1991-01-01
    709_948_800,  # 1992-07-01
    741_484_800,  # 1993-07-01
    773_020_800,  # 1994-07-01
    820_454_400,  # 1996-01-01
    867_715_200,  # 1997-07-01
    915_148_800,  # 1999-01-01
    1_136_073_600,  # 2006-01-01
    1_230_768_000,  # 2009-01-01
    1_341_100_800,  # 2012-07-01
    1_435_708_800,  # 2015-07-01
    1_483_228_800,  # 2017-01-01
)


def gps_from_unix(unix_s: float) -> float:
    """Seconds since the GPS epoch, leap seconds included."""
    return unix_s - _EPOCH_UNIX_S + sum(unix_s >= leap for leap in _LEAPS_UNIX_S)


def unix_from_gps(gps_s: float) -> float:
    """Unix time in seconds; within a leap second, the second that Unix time repeats."""
    naive = gps_s + _EPOCH_UNIX_S
    return naive - sum(naive - already >= leap for already, leap in enumerate(_LEAPS_UNIX_S, 1))
