"""The network's application: wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from clients.relying_party.keys import Clock, system_clock
from clients.social_network import linking, pages, signing_out
from clients.social_network.linking import Connect, Connection
from clients.social_network.settings import Settings
from clients.social_network.store import Store
from clients.social_network.web import Headers, Network, UnfitFormError, refuse_form


def create_app(settings: Settings, *, connect: Connect | None = None, clock: Clock = system_clock) -> FastAPI:
    """Build the network. `connect` gives the relying party; by default the provider's, found when needed."""
    store = Store(settings.data_dir, clock())
    connection = Connection(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await connection.close()
        store.close()

    app = FastAPI(title="Quán Cóc", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.network = Network(settings, store, clock, connect or connection.relying_party)
    app.add_middleware(Headers, form_targets=("'self'", settings.issuer))
    app.add_exception_handler(UnfitFormError, refuse_form)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_api_route("/favicon.ico", lambda: RedirectResponse("/static/logo.svg", 308), methods=["GET"])
    app.include_router(linking.router)
    app.include_router(signing_out.router)
    app.include_router(pages.router)
    return app
