"""The documentation page at `/docs`, with its scripts served from here: a server may have no way to the internet.

Browsers that come to `/` are led there.
"""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

ASSETS = "/docs-assets"


def install(app: FastAPI) -> None:
    """Add the page and its files to an application made with `docs_url=None`."""
    static = Path(fastapi_offline.__file__).with_name("static")
    app.mount(ASSETS, StaticFiles(directory=static), name="docs assets")

    @app.get("/", include_in_schema=False)
    async def home(request: Request) -> RedirectResponse:
        """A browser is led to the page; a client of the API is told that there is nothing, in the one shape."""
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404)
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs", 307, {"Vary": "Accept"})

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title} API",
            swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
        )
