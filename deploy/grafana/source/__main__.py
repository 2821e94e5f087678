"""Writes the files that Grafana reads."""

from pathlib import Path

from deploy.grafana.source import decoders, delivery, device, fleet, gateway

FOLDER = Path(__file__).parents[1] / "dashboards"
BOARDS = (fleet.board, gateway.board, device.board, delivery.board, decoders.board)


def files() -> dict[str, str]:
    """Name to text of every dashboard."""
    made = [make() for make in BOARDS]
    return {f"{board.uid.removeprefix('inflight-')}.json": board.text() for board in made}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
