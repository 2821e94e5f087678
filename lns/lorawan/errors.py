"""The one error of this package: bytes that are not a usable LoRaWAN frame."""


class FrameError(ValueError):
    """The bytes cannot be used. `reason` is a fixed slug for counters, the text names the value and the limit.

    Reasons: malformed, unsupported_major, proprietary, unexpected_direction, fopts_with_fport0, payload_too_long, mic.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
