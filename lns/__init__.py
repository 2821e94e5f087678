"""Inflight: a LoRaWAN network server and decoder gateway whose engines can be changed in flight."""

__version__ = "0.1.0"
