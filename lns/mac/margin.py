"""How well a frame was, or would be, heard: dB above the demodulation floor. Pure."""

from lns.lorawan.modulation import Lora, Modulation

REQUIRED_SNR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
"""Demodulation floor of LoRa by spreading factor (Semtech SX1272/SX1276 data sheets)."""


def margin_db(snr_db: float | None, modulation: Modulation) -> float:
    """dB above the floor; 0 where there is no SNR to tell it by, as with FSK."""
    if snr_db is None or type(modulation) is not Lora:
        return 0.0
    return snr_db - REQUIRED_SNR_DB.get(modulation.sf, -20.0)
