"""The values a template names, asked for once; what the device refused stays as it is."""

from lns.mac.adr.link import Link, Target
from lns.mac.settings import AdrSettings


def decide(link: Link, settings: AdrSettings) -> Target:
    """The template's values where it has them."""
    now, dr, tx_power = link.now, settings.static_dr, settings.static_tx_power
    return Target(
        now.dr if dr is None or dr not in link.rates else dr,
        now.tx_power if tx_power is None or tx_power >= len(link.powers_db) else tx_power,
        now.nb_trans if settings.static_nb_trans is None else settings.static_nb_trans,
    )
