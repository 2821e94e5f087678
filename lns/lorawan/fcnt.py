"""Frame counters: 32 bits in the session, the lower 16 on air."""

MAX_FCNT_GAP = 16384  # LoRaWAN before 1.0.4 refuses a larger step; 1.0.4 and 1.1 accept any
MAX_FCNT = 0xFFFF_FFFF  # the keys are used up when a counter gets here


def reconstruct(last: int, fcnt16: int) -> int:
    """The 32-bit counter that a frame with `fcnt16` on air most likely has, when `last` (-1: none yet) was seen.

    The smallest counter from `last` on with these lower bits, so a repetition gives `last` itself. Where that would
    pass 2**32 - 1 the result is below `last`: the session has no more counters, and the frame counts as a replay.
    """
    if last < 0:
        return fcnt16
    candidate = (last & ~0xFFFF) | fcnt16
    if candidate < last and candidate + 0x10000 <= MAX_FCNT:
        return candidate + 0x10000
    return candidate
