"""Why a frame was refused: normal, counted and shown to a person; never an exception, never silence."""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """One label per cause, the same in metrics, API and logs."""

    MALFORMED = "malformed"
    UNSUPPORTED_MAJOR = "unsupported_major"
    UNEXPECTED_DIRECTION = "unexpected_direction"
    PROPRIETARY = "proprietary"
    FOPTS_WITH_FPORT0 = "fopts_with_fport0"
    PAYLOAD_TOO_LONG = "payload_too_long"
    DATA_RATE_NOT_IN_REGION = "data_rate_not_in_region"
    FREQUENCY_NOT_IN_REGION = "frequency_not_in_region"
    UNKNOWN_DEV_ADDR = "unknown_dev_addr"
    MIC_FAILED = "mic_failed"
    MIC_OTHER_TRANSMISSION = "mic_other_transmission"
    FCNT_NOT_ABOVE_LAST = "fcnt_not_above_last"
    FCNT_GAP = "fcnt_gap"
    FCNT_EXHAUSTED = "fcnt_exhausted"
    DEVICE_DISABLED = "device_disabled"
    UNKNOWN_DEV_EUI = "unknown_dev_eui"
    JOIN_EUI_MISMATCH = "join_eui_mismatch"
    JOIN_NOT_ALLOWED = "join_not_allowed"
    JOIN_MIC_FAILED = "join_mic_failed"
    DEV_NONCE_REUSED = "dev_nonce_reused"
    DEV_NONCE_NOT_INCREASING = "dev_nonce_not_increasing"
    JOIN_NONCES_EXHAUSTED = "join_nonces_exhausted"
    REJOIN_NOT_ALLOWED = "rejoin_not_allowed"
    REJOIN_MIC_FAILED = "rejoin_mic_failed"
    RJ_COUNT_NOT_ABOVE_LAST = "rj_count_not_above_last"
    LOG_BEHIND = "log_behind"


class Unsent(StrEnum):
    """Why a downlink did not go, or not in its first window; shown beside the refused frames."""

    LATE = "downlink_late"
    TOO_LONG = "downlink_too_long"
    NO_AIRTIME = "downlink_no_airtime"
    BUSY = "downlink_busy"
    REFUSED = "downlink_refused"
    NO_GATEWAY = "downlink_no_gateway"
    FCNT_EXHAUSTED = "downlink_fcnt_exhausted"


class Refused(msgspec.Struct, frozen=True):
    """A refusal with the sentence a person reads; addresses are set as far as they are known."""

    reason: Reason
    text: str
    dev_addr: str | None = None
    dev_eui: str | None = None
