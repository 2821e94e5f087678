"""The network: devices, sessions, uplinks, joins and downlinks of one server."""

from lns.network.network import DownlinkRefused, Network

__all__ = ["DownlinkRefused", "Network"]
