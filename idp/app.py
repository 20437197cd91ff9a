"""The application: everything is opened, wired and closed here, and nothing at import."""

import asyncio
import contextlib
import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from idp import endpoints
from idp.authenticators.hashing_pool import HashingPool
from idp.authenticators.throttling import ASKING_LIMITS, PAIR_LIMITS, SOURCE_LIMITS
from idp.endpoints import automated_approval
from idp.endpoints import sandbox as sandbox_endpoints
from idp.identity.register import Mode
from idp.identity.sessions import SessionLimits
from idp.outbound.client_keys import ClientKeys
from idp.outbound.guarded_http import GuardedHTTP
from idp.outbound.sector_documents import SectorDocuments
from idp.outbound.upstream_calls import UpstreamCalls
from idp.pages import (
    account_choice,
    activate,
    activity_export,
    approvals,
    children,
    children_links,
    consent,
    design,
    device,
    disputes,
    enrolment,
    event_pages,
    explanations,
    freeze,
    guardian_needed,
    login_initiation,
    logos,
    my_accounts,
    my_activity,
    my_authenticator_app,
    my_browsers,
    my_cases,
    my_consents,
    my_correction,
    my_export,
    my_mark,
    my_networks,
    my_notice_ways,
    my_notices,
    my_passkeys,
    my_password,
    my_phones,
    my_recovery,
    my_recovery_codes,
    my_security,
    my_sessions,
    my_start,
    my_upstreams,
    not_me,
    own_consent,
    passkey_sign_in,
    phone_app,
    phone_enrolment,
    phone_here,
    phone_requests,
    phone_sign_in,
    public_marks,
    recovery,
    sandbox,
    second_factor,
    second_password,
    set_up,
    set_up_passkey,
    sign_in,
    sign_out,
    stop_recovery,
    upstream_sign_in,
)
from idp.pages.failures import FAILURES, answer_failure, fault_answer, render_form_post
from idp.pages.rendering import STATIC, Pages
from idp.protocol.feature_policy_document import InvalidFeaturePolicyError
from idp.protocol.model import Lifetimes, Policy
from idp.settings import Settings
from idp.store.opening import open_database
from idp.store.unit_of_work import UnitOfWork
from idp.store.writes import StoreUnavailableError
from idp.upstreams.directory import open_upstreams
from idp.web.answers import json_answer
from idp.web.boundary import Boundary
from idp.web.client_certificate import CertificateSource
from idp.web.clients import ClientDirectory
from idp.web.cross_origin import CrossOrigin
from idp.web.demo_people import demo_people
from idp.web.direct_routes import DirectRoutes, NamedHandler
from idp.web.feature_policies import FeaturePolicyInForce
from idp.web.log import Log
from idp.web.passkey_policy import open_passkey_policy
from idp.web.published import Published
from idp.web.registration import RegistrationTerms
from idp.web.simulations import Sandbox
from idp.web.state import Context, context_of
from idp.web.static_files import VersionedFiles
from idp.web.status_indexes import StatusIndexes
from idp.web.status_lists import StatusListDirectory
from keys import Custody, CustodyError

HOT_PAGES: Mapping[tuple[str, str], NamedHandler] = {
    ("GET", "/sign-in"): sign_in.sign_in_page,
    ("POST", "/sign-in"): sign_in.sign_in,
    ("GET", "/second-factor"): second_factor.second_factor_page,
    ("POST", "/second-factor"): second_factor.second_factor,
    ("GET", "/consent"): consent.consent_page,
    ("POST", "/consent"): consent.consent,
}
"""The pages of the journey, reached without the router."""

REFRESH_SECONDS = 1.0
"""How often a process looks for changed clients and keys."""


class State(TypedDict):
    """The lifespan state, reached by every request."""

    context: Context
    pages: Pages


def utc_now() -> datetime:
    """Return the present; the only clock of the application."""
    return datetime.now(UTC)


def policy_of(settings: Settings) -> Policy:
    """Return what the rules know of the settings."""
    lifetimes = replace(
        Lifetimes(),
        code=timedelta(seconds=settings.code_seconds),
        access_token=timedelta(minutes=settings.access_token_minutes),
        refresh_token=timedelta(days=settings.refresh_token_days),
    )
    return Policy(issuer=settings.issuer, lifetimes=lifetimes, mtls_origin=settings.mtls_origin)


@contextlib.asynccontextmanager
async def opened(settings: Settings, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Context]:
    """Open database, keys and pools; close them at the end."""
    policy = policy_of(settings)
    database = open_database(settings.database_url, connections=settings.database_connections)
    custody = Custody.open(settings.keys_dir, settings.seal_file, clock())

    def open_unit_of_work() -> UnitOfWork:
        return UnitOfWork(database, custody.data)

    outbound = GuardedHTTP(allow_loopback=settings.may_fetch_loopback, ca_file=settings.outbound_ca_file)
    # Connections of their own: people who wait for a slow upstream keep no client from being known.
    upstream_http = GuardedHTTP(
        allow_loopback=settings.may_fetch_loopback, ca_file=settings.outbound_ca_file, connections=50
    )
    clients = ClientDirectory(
        lambda: UnitOfWork(database, custody.data),
        ClientKeys(outbound).fetch,
        is_production=settings.mode is Mode.PRODUCTION,
    )
    hashing = HashingPool(settings.hashing_threads or max(1, os.cpu_count() or 1))
    context = Context(
        policy=policy,
        database=database,
        custody=custody,
        clients=clients,
        feature_policy=FeaturePolicyInForce(lambda: UnitOfWork(database, custody.data)),
        published=Published(policy, custody),
        status_indexes=StatusIndexes(open_unit_of_work, clock),
        status_lists=StatusListDirectory(policy.issuer, open_unit_of_work, clients, custody),
        hashing=hashing,
        log=Log(settings.log_file, is_buffered=True),
        clock=clock,
        session_limits=SessionLimits(
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_absolute_hours),
        ),
        pair_limits=replace(PAIR_LIMITS, free=settings.free_password_attempts),
        source_limits=replace(SOURCE_LIMITS, free=settings.source_attempts),
        asking_limits=replace(ASKING_LIMITS, free=settings.unanswered_requests),
        render_form_post=render_form_post,
        mode=settings.mode.value,
        days_off=settings.days_off,
        registration=RegistrationTerms(
            is_open=settings.open_registration,
            statement_issuers=settings.statement_issuers,
            fetch_sector=SectorDocuments(outbound).fetch,
        ),
        certificate_source=CertificateSource(
            settings.client_certificate_header, settings.certificate_proxies, settings.certificate_authorities
        ),
        is_dpop_nonce_required=settings.dpop_nonce == "required",
        recovery_waiting=timedelta(hours=settings.recovery_waiting_hours),
        sandbox=None if settings.mode is Mode.PRODUCTION else Sandbox(open_unit_of_work, demo_people()),
        passkey_policy=open_passkey_policy(settings.passkey_policy),
        upstreams=open_upstreams(settings.upstreams, UpstreamCalls(upstream_http), clock),
    )
    try:
        yield context
    finally:
        hashing.close()
        await outbound.close()
        await upstream_http.close()
        await database.close()
        context.log.close()


async def keep_fresh(context: Context) -> None:
    """Take over changed clients and keys and write the log out, once a second, while the process lives."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        context.log.flush()
        try:
            await context.clients.refresh()
            await context.feature_policy.refresh(context.clock())
            if context.sandbox is not None:
                await context.sandbox.refresh(context.clock())
            if context.custody.reload_if_changed(context.clock()):
                context.published.renew()
        except (StoreUnavailableError, CustodyError, InvalidFeaturePolicyError) as trouble:
            # What was known before stays in use; the log says since when it is old.
            context.log.write("refresh_failed", context.clock(), reason=str(trouble))


def create_app(settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Return the application for these settings."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with opened(settings, clock) as context:
            await context.clients.refresh()
            await context.feature_policy.refresh(clock())
            freshness = asyncio.create_task(keep_fresh(context))
            # What was made until now lives as long as the process: the collector need not walk it again.
            gc.collect()
            gc.freeze()
            try:
                yield {"context": context, "pages": Pages(settings.issuer)}
            finally:
                freshness.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await freshness

    # An address with a slash too many is unknown: the framework's redirect would be built from the Host
    # header, and would carry a form with its secrets there (abuse class 21).
    app = FastAPI(
        title="Lienket",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.include_router(endpoints.router)
    if settings.automated_approvals:
        hook = automated_approval.automated_approval
        app.add_api_route(automated_approval.PATH, hook, methods=["POST"], include_in_schema=False)
    if settings.mode is not Mode.PRODUCTION:
        app.include_router(sandbox_endpoints.router)
        app.include_router(sandbox.router)
        app.include_router(design.router)
    for page in (
        sign_in,
        phone_sign_in,
        phone_app,
        phone_requests,
        phone_here,
        phone_enrolment,
        my_phones,
        upstream_sign_in,
        enrolment,
        passkey_sign_in,
        second_factor,
        second_password,
        activate,
        set_up,
        set_up_passkey,
        recovery,
        stop_recovery,
        my_recovery,
        consent,
        account_choice,
        my_start,
        my_accounts,
        my_notices,
        my_notice_ways,
        my_consents,
        my_correction,
        my_export,
        not_me,
        freeze,
        my_mark,
        my_cases,
        disputes,
        my_networks,
        approvals,
        guardian_needed,
        children,
        children_links,
        own_consent,
        device,
        activity_export,
        my_activity,
        my_passkeys,
        my_sessions,
        my_security,
        my_authenticator_app,
        my_recovery_codes,
        my_password,
        my_browsers,
        my_upstreams,
        sign_out,
        login_initiation,
        logos,
        public_marks,
        explanations,
        event_pages,
    ):
        app.include_router(page.router)
    for path, probe in (("/healthz", healthz), ("/readyz", readyz)):
        app.add_api_route(path, probe, methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/static", VersionedFiles(directory=STATIC), name="static")
    for failure in FAILURES:
        app.add_exception_handler(failure, answer_failure)
    app.add_middleware(
        DirectRoutes,
        handlers=endpoints.HOT_PATHS,
        named_handlers={**endpoints.HOT_NAMED_PATHS, **HOT_PAGES},
        failures=FAILURES,
        answer_failure=answer_failure,
    )
    app.add_middleware(CrossOrigin, paths=endpoints.CROSS_ORIGIN_PATHS)
    app.add_middleware(
        Boundary, log=lambda scope: scope["state"]["context"].log, clock=clock, render_fault=fault_answer
    )
    return app


async def healthz() -> Response:
    """Tell that the process lives."""
    return json_answer({"status": "ok"})


async def readyz(http: Request) -> Response:
    """Tell whether the process can serve: the database answers."""
    await context_of(http).clients.refresh()
    return json_answer({"status": "ready"})


def from_environment() -> FastAPI:
    """Return the application for the environment's settings; what `idp serve` runs."""
    return create_app(Settings.load())
