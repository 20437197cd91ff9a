"""What every page handler shares: language, header, policy, the token of our own forms."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from idp.identity.citizens import Citizen
from idp.identity.register import shown_name
from idp.identity.sessions import Session
from idp.pages.list_views import FilterName
from idp.pages.logos import logo_address
from idp.pages.rendering import LOCALES, Locale, Pages, choose_locale
from idp.pages.views import ClientHeader, Page
from idp.protocol.model import AuthorizationRequest, Client
from idp.protocol.parameters import Parameters
from idp.web.answers import page_answer
from idp.web.authorization_response import form_targets_of
from idp.web.cookies import Cookies
from idp.web.failures import JourneyError, Trouble
from idp.web.requests import is_same_origin, read_form
from idp.web.state import Context, context_of

_KEPT = (*(name.value for name in FilterName), "before", "after", "networks_after", "questions_after")
_LONGEST_KEPT = 100


def pages_of(request: Request) -> Pages:
    """Return the compiled pages."""
    pages: Pages = request.state.pages
    return pages


def locale_of(
    http: Request, request: AuthorizationRequest | None = None, wished: Sequence[str] = ()
) -> Locale:
    """Choose the page's language: `?lang=`, the person's cookie, the platform's wish, the browser's."""
    chosen = http.query_params.get("lang")
    if chosen in LOCALES:
        return choose_locale((), None, chosen)
    asked = wished if request is None else request.ui_locales
    return choose_locale(asked, http.headers.get("accept-language"), http.cookies.get("lang"))


def show(
    http: Request,
    view: Page,
    *,
    request: AuthorizationRequest | None = None,
    status: int = 200,
    form_targets: Sequence[str] = (),
    wished: Sequence[str] = (),
) -> Response:
    """Render a page in the person's language; remember a language they just chose."""
    context = context_of(http)
    locale = locale_of(http, request, wished)
    targets = (*form_targets, *form_targets_of(request.redirect_uri)) if request is not None else form_targets
    pages = pages_of(http)
    answer = page_answer(http, pages.render(view, locale, _kept(http)), status, form_targets=targets)
    answer.headers["Content-Language"] = locale
    if http.query_params.get("lang") in LOCALES:
        Cookies(context.is_secure).set_language(answer, locale)
    return answer


def _kept(http: Request) -> str:
    """Return what of a list's address stays when the language is switched: what is looked for, and where."""
    asked = [(name, http.query_params.get(name, "")) for name in _KEPT]
    query = urlencode([each for each in asked if 0 < len(each[1]) <= _LONGEST_KEPT])
    return f"{query}&" if query else ""


def person_name(context: Context, citizen: Citizen) -> str:
    """Return a person's name as pages show it to themselves, and to who speaks for them."""
    return shown_name(citizen.personal_data.name, is_demo=context.mode != "production")


def client_header(context: Context, client: Client, interaction_id: str | None) -> ClientHeader:
    """Return how the network is named at the top of the page."""
    back = None if interaction_id is None else f"{context.issuer}/authorize/{interaction_id}/cancel"
    return ClientHeader(
        name=client.client_name,
        domain=domain_of(client),
        back_action=back,
        client_uri=client.client_uri,
        logo=logo_address(context.issuer, client),
        policy_uri=client.policy_uri,
        tos_uri=client.tos_uri,
        is_test=client.is_sandbox,
    )


def domain_of(client: Client) -> str:
    """Return the host by which a careful person knows the network."""
    addresses = (client.client_uri or "", *client.redirect_uris)
    on_the_web = [uri for uri in addresses if uri.startswith(("https://", "http://"))]
    # An app without an address on the web is known by the sector its subjects are computed for; what stands
    # in the address of a private-use scheme belongs to nobody.
    return urlsplit(on_the_web[0]).netloc if on_the_web else client.sector


async def read_own_form(http: Request) -> Parameters:
    """Return the form of one of our own pages. Raises JourneyError for a form of another origin."""
    check_same_origin(http)
    return await read_form(http)


def check_same_origin(http: Request) -> None:
    """Check that a form came from our own pages. Raises JourneyError."""
    if not is_same_origin(http, context_of(http).issuer):
        raise JourneyError(Trouble.STALE_FORM, detail="the form came from another origin")


def form_token(context: Context, session: Session) -> str:
    """Return the token that a signed-in person's forms carry; it ends with the session."""
    return context.custody.data.lookup("form_token", session.session_id).hex()


def check_form_token(context: Context, session: Session, form: Parameters) -> None:
    """Check that a form was made for this session. Raises JourneyError."""
    sent = sha256(form.get("csrf", "").encode()).digest()
    if not hmac.compare_digest(sent, sha256(form_token(context, session).encode()).digest()):
        raise JourneyError(Trouble.STALE_FORM, detail="the form token does not fit the session")
