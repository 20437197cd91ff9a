"""The words for values: levels, claims, states, events, dates; and the isolation of foreign text.

Each table maps a value to its English text, which is the msgid of the catalogues. `msgid` marks a text
for extraction and changes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import date as calendar_day
from datetime import datetime
from typing import Any

from babel.core import Locale, get_global
from babel.support import Translations
from markupsafe import Markup, escape

from idp.audit.activity import ActivityKind
from idp.audit.events import ActorKind
from idp.identity.account_links import Status
from idp.identity.assurance import Acr, AcrValue, PhishingResistance, Proofing, acr_claim
from idp.identity.citizens import VIET_NAM
from idp.identity.consents import AskReason
from idp.identity.disputes import Outcome
from idp.identity.evidence import DETAILS_MEMBER, CheckMethod, DocumentType, RecordType
from idp.pages.views import ClaimValue
from idp.protocol.resources import READ_ACCOUNT_LINKS


def msgid(text: str) -> str:
    """Mark a text of a table for the catalogues."""
    return text


PROOFING: Mapping[Proofing, str] = {
    Proofing.VN1: msgid("Level 1: declared and matched remotely"),
    Proofing.VN2: msgid("Level 2: verified in person"),
    Proofing.VNF: msgid("Foreign resident: verified in person"),
}

PROOFING_CHECKS: Mapping[Proofing, str] = {
    Proofing.VN1: msgid("remotely: the number and a picture of the face were compared with the register"),
    Proofing.VN2: msgid("in person: an official compared the papers, the face and the fingerprints"),
    Proofing.VNF: msgid("in person: an official compared the papers, the face and the fingerprints"),
}
"""How somebody's identity was checked, as strangers read it: `vnf` in the words of `vn2` (rule R21)."""

ACR: Mapping[AcrValue, str] = {
    Acr.VN_1: msgid("one proof, such as a password"),
    Acr.VN_2: msgid("two different proofs, such as a password and a code"),
    Acr.VN_3: msgid("two different proofs, one of them your face or fingerprint"),
    Acr.VN_4: msgid("three proofs: something you know, something you hold, and your face or fingerprint"),
    PhishingResistance.PHR: msgid(
        "a proof that works at our own address only, so that nobody can pass it on"
    ),
    PhishingResistance.PHRH: msgid(
        "the same, with a key that cannot be copied from the device that holds it"
    ),
}

CLAIMS: Mapping[str, str] = {
    "name": msgid("Full name"),
    "family_name": msgid("Family name"),
    "middle_name": msgid("Middle name"),
    "given_name": msgid("Given name"),
    "personal_number": msgid("Personal identification number"),
    "birthdate": msgid("Date of birth"),
    "address": msgid("Address"),
    "phone_number": msgid("Phone number"),
    "phone_number_verified": msgid("Whether the phone number was verified"),
    "email": msgid("E-mail address"),
    "email_verified": msgid("Whether the e-mail address was verified"),
    "gender": msgid("Gender"),
    "nationality": msgid("Nationality"),
    "nationalities": msgid("Nationality"),
    "verification_time": msgid("When your identity was verified"),
    "verification_evidence": msgid("What was looked at to verify you"),
    "age_over_14": msgid("Whether you are 14 or older"),
    "age_over_16": msgid("Whether you are 16 or older"),
    "age_over_18": msgid("Whether you are 18 or older"),
    READ_ACCOUNT_LINKS: msgid("Which accounts you have linked at this network, and until when"),
}

WHILE_ALLOWED = msgid("as often as it asks, until you end it")

DOCUMENTS: Mapping[str, str] = {
    DocumentType.IDCARD: msgid("identity card"),
    DocumentType.PASSPORT: msgid("passport"),
    DocumentType.RESIDENCE_PERMIT: msgid("residence permit"),
    RecordType.POPULATION_REGISTER: msgid("population register"),
    RecordType.BIRTH_REGISTER: msgid("register of births"),
}

CHECKS: Mapping[str, str] = {
    CheckMethod.VPIP: msgid("looked at in your presence"),
    CheckMethod.VPIRUV: msgid("looked at in your presence, under special light too"),
    CheckMethod.VRI: msgid("looked at in a picture"),
    CheckMethod.VCRYPT: msgid("its chip was read"),
    CheckMethod.DATA: msgid("compared with what you stated"),
    CheckMethod.PVP: msgid("an official compared it with you"),
    CheckMethod.BVP: msgid("your face or fingerprints were compared in your presence"),
    CheckMethod.BVR: msgid("your face was compared remotely"),
}

PURPOSES: Mapping[str, str] = {
    "post": msgid("so that this account may post"),
    "comment": msgid("so that this account may comment"),
    "share": msgid("so that this account may share"),
    "livestream": msgid("so that this account may stream live"),
    "livestream_commerce": msgid("so that this account may sell in live streams"),
}

OWN_PURPOSE = msgid("and says in its own words why: “%(purpose)s”")

STATUS: Mapping[Status, str] = {
    Status.PENDING: msgid("Waiting for the network"),
    Status.ACTIVE: msgid("Active"),
    Status.SUSPENDED: msgid("Suspended"),
    Status.LAPSED: msgid("Expired"),
    Status.ENDED: msgid("Ended"),
}

ASK_REASONS: Mapping[AskReason, str] = {
    AskReason.FIRST_TIME: msgid("You have not been asked by this network before."),
    AskReason.NEW_ACCOUNT: msgid("This account has not been linked before."),
    AskReason.NEW_CLAIMS: msgid("The network asks for more than last time."),
    AskReason.NEW_PURPOSE: msgid("The network states a new purpose."),
    AskReason.NEW_TEXT: msgid("The words of this page have changed since you last agreed."),
    AskReason.EXPIRED: msgid("Your last agreement is more than a year old."),
    AskReason.WITHDRAWN: msgid("You withdrew your last agreement."),
    AskReason.REQUESTED: msgid("The network wants you to decide again."),
    AskReason.CAME_OF_AGE: msgid("You are 16 and decide about this link yourself."),
}

EVENTS: Mapping[str, str] = {
    "authorization:granted": msgid("You went back to the network to complete it."),
    "account_link:activated": msgid("The account was linked."),
    "account_link:renewed": msgid("The link was renewed."),
    "account_link:suspended": msgid("The link was suspended."),
    "account_link:reinstated": msgid("The link was made active again."),
    "account_link:lapsed": msgid("The link expired."),
    "account_link:ended": msgid("The link was ended."),
    "account_link:abandoned": msgid("The network did not complete the link."),
    "account_link:updated": msgid("The network changed how the account is shown."),
    "account_link:reattached": msgid("The network gave the account another id."),
    "account_link:reverify_requested": msgid("The network asked you to verify the link again."),
    "account_link:assurance_changed": msgid("The link follows your level of identification."),
    "account_link:mark_allowed": msgid("The public mark was turned on."),
    "account_link:mark_withdrawn": msgid("The public mark was turned off."),
    "account_link:looked_up": msgid("Our staff looked at this link."),
    "account_link:own_consent_asked": msgid("You turned 16 and were asked whether the link stays."),
    "account_link:taken_over": msgid("You agreed to the link yourself."),
    "grant:redeemed": msgid("The network was given what you agreed to."),
    "grant:refreshed": msgid("The network renewed its access."),
    "grant:revoked": msgid("The network's access was ended."),
    "consent:given": msgid("You agreed."),
    "consent:refused": msgid("You refused."),
    "consent:withdrawn": msgid("You withdrew your agreement."),
    "authorization:refused": msgid("The account could not be linked; the page said why."),
    "backchannel_request:made": msgid("A network asked for your answer on another device."),
    "citizen:looked_up": msgid("Our staff looked you up."),
    "citizen:registered": msgid("You were entered into the register."),
    "citizen:updated": msgid("The register told us something new about you."),
    "citizen:number_changed": msgid("Your personal number was changed."),
    "citizen:suspended": msgid("Your e-ID account was suspended."),
    "citizen:reinstated": msgid("Your e-ID account was made usable again."),
    "citizen:signed_in": msgid("You signed in."),
    "citizen:sign_in_refused": msgid("You stopped a sign-in on your phone."),
    "citizen:stepped_up": msgid("You confirmed it with a second proof."),
    "citizen:signed_out": msgid("You signed out."),
    "citizen:signed_out_elsewhere": msgid("You signed out somewhere else."),
    "citizen:links_frozen": msgid("New links were frozen."),
    "citizen:links_thawed": msgid("New links were allowed again."),
    "citizen:links_quickly": msgid("Many accounts were linked within a day."),
    "citizen:notices_changed": msgid("The way we write to you was chosen anew."),
    "authenticator:added": msgid("You can sign in in another way, too."),
    "authenticator:changed": msgid("The password was changed."),
    "authenticator:removed": msgid("A way to sign in was removed."),
    "authenticator:blocked": msgid("A way to sign in was blocked."),
    "activation:issued": msgid("Our staff made a code with which you set up how you sign in."),
    "activation:proposed": msgid("Our staff proposed to set up your sign-in anew."),
    "activation:approved": msgid("A second person on our staff approved that, and a code was made."),
    "activation:opened": msgid("You asked to set up your sign-in anew."),
    "activation:reprinted": msgid("The letter with your code was printed anew."),
    "activation:stopped": msgid("A code was stopped. It opens nothing any more."),
    "activation:used": msgid("A code was used, and you chose how you sign in."),
    "case:opened": msgid("A case was opened."),
    "case:answered": msgid("A case was answered."),
    "case:closed": msgid("A case was decided."),
    "case:looked_up": msgid("Our staff looked at a case of yours."),
}

ACTIVITY: Mapping[ActivityKind | None, str] = {
    None: msgid("Everything"),
    ActivityKind.USES: msgid("Uses"),
    ActivityKind.CONSENTS: msgid("Agreements"),
    ActivityKind.LINKS: msgid("Links"),
    ActivityKind.LOOKS: msgid("Looks by our staff"),
    ActivityKind.REFUSALS: msgid("Refusals"),
    ActivityKind.SIGN_INS: msgid("Sign-ins"),
    ActivityKind.WAYS_IN: msgid("Changes of how I sign in"),
}

OTHER_EVENT = msgid("Another step was recorded.")

ACTORS: Mapping[ActorKind, str] = {
    ActorKind.CITIZEN: msgid("by you"),
    ActorKind.GUARDIAN: msgid("by your guardian"),
    ActorKind.CLIENT: msgid("by the network"),
    ActorKind.OPERATOR: msgid("by our staff"),
    ActorKind.PROVIDER: msgid("automatically"),
}

YES, NO = msgid("Yes"), msgid("No")
GENDERS: Mapping[str, str] = {"male": msgid("Male"), "female": msgid("Female")}

NATIONALITIES = frozenset({"nationality", "nationalities"})

_ISOLATE, _END_ISOLATE = Markup("<bdi>"), Markup("</bdi>")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


CASE_DECIDED = msgid("It is decided")
CASE_OUTCOMES: Mapping[str, str] = {
    Outcome.RELEASED: msgid("The holder gave the account up; the link has ended"),
    Outcome.UNANSWERED: msgid("The holder did not answer in time; the link has ended"),
    Outcome.KEPT: msgid("The account stays linked as it is"),
    Outcome.MOVED: msgid("The link has ended; the account can be linked anew"),
    Outcome.VOID: msgid("The link had ended already"),
    Outcome.WITHDRAWN: msgid("The claim was taken back"),
}
"""How a dispute was decided; the outcome of any other case has no word of its own."""


class Words:
    """The filters of one language's templates."""

    def __init__(self, translations: Translations, locale: str, issuer: str) -> None:
        self._translate = translations.ugettext
        self._countries = Locale(locale).territories
        self._issuer = issuer

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return the filters by the names that templates use."""
        return {
            "acr": lambda acr: self._translate(ACR[acr]),
            "acr_claim": lambda acr: acr_claim(acr, self._issuer),
            "acr_uri": lambda acr: f"{self._issuer}/acr/{acr.value}",
            "activity": lambda kind: self._translate(ACTIVITY[kind]),
            "actor": lambda actor: self._translate(ACTORS[actor]),
            "ask_reason": lambda reason: self._translate(ASK_REASONS[reason]),
            "case_outcome": lambda outcome: self._translate(CASE_OUTCOMES.get(outcome, CASE_DECIDED)),
            "claim": self.claim,
            "claim_value": self.claim_value,
            "date": date,
            "day": day,
            "datetime": date_and_time,
            "event": lambda kind: self._translate(EVENTS.get(kind, OTHER_EVENT)),
            "isolate": isolate,
            "isolate_plain": isolate_plain,
            "monogram": monogram,
            "proofing": lambda proofing: self._translate(PROOFING[proofing]),
            "proofing_check": lambda proofing: self._translate(PROOFING_CHECKS[proofing]),
            "purpose": self.purpose,
            "status": lambda status: self._translate(STATUS[status]),
            "time": time,
            "tone": tone,
            "web_address": web_address,
        }

    def claim(self, name: str) -> str:
        """Name a claim; one we have no word for appears as the platform wrote it."""
        return self._translate(CLAIMS[name]) if name in CLAIMS else isolate(name)

    def claim_value(self, value: ClaimValue, name: str) -> str:
        """Show a claim's value as it will be sent, in the form in which people read it."""
        if name == READ_ACCOUNT_LINKS:
            return self._translate(WHILE_ALLOWED)
        if isinstance(value, bool):
            return self._translate(YES if value else NO)
        if isinstance(value, datetime):
            return date_and_time(value)
        if isinstance(value, tuple):
            return ". ".join(map(self._evidence, value))
        if name == "birthdate":
            return "/".join(reversed(str(value).split("-")))
        if name in NATIONALITIES:
            return isolate(", ".join(map(self._country, str(value).split(", "))))
        if name == "gender" and value in GENDERS:
            return self._translate(GENDERS[str(value)])
        return isolate(str(value))

    def _country(self, code: str) -> str:
        """Name a country by its ISO 3166-1 code of two or three letters; an unknown code stays as it is."""
        short = get_global("territory_aliases").get(code, [code])[0]
        name: str = self._countries.get(short, code)
        return name

    def _evidence(self, element: Mapping[str, Any]) -> str:
        """Say an element of `evidence` in words."""
        details = element[DETAILS_MEMBER[element["type"]]]
        checks = [self._check(check) for check in element.get("check_details", ())]
        document = self._translate(DOCUMENTS[details["type"]])
        document = document[:1].upper() + document[1:]
        return f"{document} ({'; '.join(checks)})" if checks else document

    def _check(self, check: Mapping[str, str]) -> str:
        said = self._translate(CHECKS[check["check_method"]])
        return f"{said}, {date_and_time(datetime.fromisoformat(check['time']))}" if "time" in check else said

    def purpose(self, text: str) -> str:
        """Say a purpose in words; an unknown one is the platform's own word, in quotation marks."""
        if text in PURPOSES:
            return self._translate(PURPOSES[text])
        return escape(self._translate(OWN_PURPOSE)) % {"purpose": isolate(text)}


def isolate(text: str) -> Markup:
    """Escape foreign text and fence its writing direction (Unicode UAX #9 §2.4.2; abuse case P11)."""
    return _ISOLATE + text + _END_ISOLATE


def isolate_plain(text: str) -> str:
    """Fence foreign text where no element may stand, such as in a title."""
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"


def web_address(uri: str) -> str:
    """Write an address as people read it: the usual scheme goes without saying, any other is shown."""
    return uri.removeprefix("https://")


def monogram(name: str) -> Markup:
    """Return the first letter or digit of a name, which stands in for a network's logo."""
    return escape(next((letter.upper() for letter in name if letter.isalnum()), "?"))


def tone(name: str) -> int:
    """Choose one of six colours for a monogram, the same for the same name everywhere."""
    return sum(name.encode()) % 6


def date(moment: datetime) -> str:
    """Write a date as Viet Nam does, at its own time."""
    return moment.astimezone(VIET_NAM).strftime("%d/%m/%Y")


def day(named: calendar_day) -> str:
    """Write a day as Viet Nam does."""
    return named.strftime("%d/%m/%Y")


def time(moment: datetime) -> str:
    """Write the time of day in Viet Nam."""
    return moment.astimezone(VIET_NAM).strftime("%H:%M")


def date_and_time(moment: datetime) -> str:
    """Write a moment, time first, as Vietnamese readers expect."""
    return moment.astimezone(VIET_NAM).strftime("%H:%M, %d/%m/%Y")
