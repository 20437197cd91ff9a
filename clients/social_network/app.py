"""The network's application: wiring only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from clients.relying_party.keys import Clock, system_clock
from clients.social_network import linking, pages, signing_out
from clients.social_network.connection import Connection
from clients.social_network.features import Features
from clients.social_network.following import Following
from clients.social_network.linking import Connect
from clients.social_network.settings import Settings
from clients.social_network.store import Store
from clients.social_network.web import Headers, Network, ReadLink, UnfitFormError, refuse_form


def create_app(
    settings: Settings,
    *,
    connect: Connect | None = None,
    read_link: ReadLink | None = None,
    clock: Clock = system_clock,
) -> FastAPI:
    """Build the network. By default it follows the provider; `connect` gives it a relying party alone."""
    store = Store(settings.data_dir, clock())
    features = Features(store, settings.client_id)
    connection = Connection(settings, clock)
    if connect is None:
        network = Network(
            settings, store, clock, features, connection.relying_party, read_link=connection.read_link
        )
        following: Following | None = Following(network, connection.sources)
    else:
        network, following = Network(settings, store, clock, features, connect, read_link), None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = None if following is None else asyncio.create_task(following.run())
        yield
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await connection.close()
        store.close()

    app = FastAPI(title="Quán Cóc", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.network = network
    app.add_middleware(Headers, form_targets=("'self'", settings.issuer))
    app.add_exception_handler(UnfitFormError, refuse_form)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_api_route("/favicon.ico", lambda: RedirectResponse("/static/logo.svg", 308), methods=["GET"])
    app.include_router(linking.router)
    app.include_router(signing_out.router)
    app.include_router(pages.router)
    return app
