"""NbTrans by loss: the table of the well-known algorithm, as ChirpStack has it."""

from lns.mac.adr.link import Link
from lns.mac.history import KEPT
from lns.mac.settings import AdrSettings

HEAVY_LOSS = 0.30
"""More than repetition repairs."""
_BY_LOSS = ((0.05, (1, 1, 2)), (0.10, (1, 2, 3)), (HEAVY_LOSS, (2, 3, 3)))
"""Loss below which a row counts, and the new NbTrans by the present one of 1, 2, 3."""
_BEYOND = (3, 3, 3)


def nb_trans(link: Link, settings: AdrSettings, loss: float) -> int:
    """How often an uplink is sent; as it is until all uplinks kept were sent with the present parameters."""
    now = link.now.nb_trans
    if link.history.since_change >= KEPT:
        row = next((row for below, row in _BY_LOSS if loss < below), _BEYOND)
        now = row[min(now, 3) - 1]
    return min(now, settings.max_nb_trans)
