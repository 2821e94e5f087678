"""What a device does with the network's MAC commands: a module a family, and `obey` that reads a downlink's."""
