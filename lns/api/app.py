"""The API as one application: routes, failures, documentation."""

import re
from typing import Any

from fastapi import APIRouter, FastAPI

from lns import __version__
from lns.api import docs_page, problems
from lns.api.routes import (
    applications,
    archive,
    backfills,
    codec_bench,
    codecs,
    deliveries,
    device_keys,
    devices,
    downlinks,
    failures,
    foreign_downlinks,
    gateways,
    health,
    imports,
    keys,
    latest,
    library,
    link,
    multicast,
    outlets,
    overview,
    quarantine,
    replays,
    series,
    stores,
    templates,
    trials,
)
from lns.api.services import Services
from lns.api.streams import Streams

PREFIX = "/api/v1"

_DESCRIPTION = """
Everything the server does, over HTTP. Send a key with each request:

    curl -H "Authorization: Bearer $(cat data/admin.key)" http://127.0.0.1:8080/api/v1/status

Times are RFC 3339 in UTC. EUIs and keys are hex, with or without `-` or `:`. Lists answer `items` and `next`; give
`next` as `after` to read on. A failure answers `{"error": {"code": ..., "message": ...}}`: act on the code, show the
message.
"""

_TAGS = [
    {"name": "devices", "description": "Who may talk to the network: one by one, from CSV, or in bulk."},
    {"name": "applications", "description": "Groups of devices."},
    {"name": "device templates", "description": "What devices of one kind share: codec, version, store-on-change."},
    {
        "name": "gateways",
        "description": "Who may carry frames. A gateway that calls is seen, and served once accepted.",
    },
    {"name": "codecs", "description": "JavaScript that turns payloads into measurements, and where it failed."},
    {"name": "series", "description": "Measurements in time."},
    {"name": "downlinks", "description": "What waits to be sent to a device, and what became of it."},
    {"name": "multicast", "description": "Groups of devices that hear the same downlinks."},
    {"name": "outlets", "description": "Where messages are sent, what became of each, and what is to be sent again."},
    {"name": "keys", "description": "API keys."},
    {"name": "archive", "description": "Raw uplinks as Parquet files, and filling stores and outlets from them."},
    {"name": "operations", "description": "Status, log, refusals, live events, metrics, health."},
]

# imports before devices, so that /devices/import is not taken for a DevEUI
_ROUTERS = (
    *(imports, devices, device_keys, link, latest, downlinks, series, stores),
    *(applications, templates, library, multicast, gateways, outlets, deliveries),
    *(codec_bench, codecs, trials, replays, archive, backfills, failures, quarantine, keys, overview),
)


class _Api(FastAPI):
    """FastAPI, with the first sentence of a route's description as its summary."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                for operation in path.values():
                    first, _, rest = re.sub(r"\.(\s|$)", ".\0", operation["description"], count=1).partition("\0")
                    operation["summary"] = " ".join(first.split()).rstrip(".")
                    operation["description"] = rest.strip()
        return super().openapi()


def create_app(services: Services) -> FastAPI:
    """The application over `services`."""
    app = _Api(
        title="Inflight",
        version=__version__,
        summary="A LoRaWAN network server and decoder gateway whose engines can be changed in flight",
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.streams = Streams(services.live)
    problems.install(app)
    docs_page.install(app)
    api = APIRouter(prefix=PREFIX)
    for module in _ROUTERS:
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(foreign_downlinks.router)
    app.include_router(health.router)
    return app
