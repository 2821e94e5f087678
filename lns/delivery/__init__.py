"""Delivery at least once, in order per device: what every outlet shares. Times are UTC microseconds: waits survive."""
