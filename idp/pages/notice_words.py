"""The words of notices, the same in a message and in a person's own list.

Each table maps a value to its English text, as in `words`. `network`, `account`, `reference` and `count` are
put in escaped and fenced where a page shows them, and unlinked where a message does (see
`idp.deliveries.message_texts`): what a network wrote becomes neither markup nor an address to press.
"""

from collections.abc import Callable, Mapping

from babel.support import Translations
from markupsafe import Markup, escape

from idp.identity.notices import Channel, Credential, NoticeKind
from idp.pages.words import isolate, msgid
from idp.web.notice_facts import NoticeFacts

TITLES: Mapping[NoticeKind, str] = {
    NoticeKind.LINK_ESTABLISHED: msgid("An account was linked with you"),
    NoticeKind.LINK_RENEWED: msgid("A link was renewed"),
    NoticeKind.LINK_SUSPENDED: msgid("A link is suspended"),
    NoticeKind.LINK_REINSTATED: msgid("A link is active again"),
    NoticeKind.LINK_LAPSED: msgid("A link has expired"),
    NoticeKind.LINK_ENDED: msgid("A link was ended"),
    NoticeKind.REATTACHED: msgid("A linked account has another name"),
    NoticeKind.REVERIFY_REQUESTED: msgid("A network asks you to confirm a link"),
    NoticeKind.LINKS_QUICKLY: msgid("Many accounts were linked with you"),
    NoticeKind.FREEZE_ON: msgid("New links are frozen"),
    NoticeKind.FREEZE_OFF: msgid("New links can be made again"),
    NoticeKind.PREFERENCES_CHANGED: msgid("The way we write to you was changed"),
    NoticeKind.CASE_OPENED: msgid("We have opened a case for you"),
    NoticeKind.CASE_CLOSED: msgid("Your case is decided"),
    NoticeKind.CORRECTION_ASKED: msgid("You asked the register to correct something"),
    NoticeKind.NEW_REQUEST_WAITING: msgid("A request waits for your answer"),
    NoticeKind.GUARDIAN_REQUEST: msgid("A child in your care asks you"),
    NoticeKind.GUARDIAN_DECIDED: msgid("Your guardian has answered"),
    NoticeKind.HAND_OVER_DUE: msgid("Decide about a link yourself"),
    NoticeKind.MISUSE_REPORTED: msgid("A network asks us to look at an account of yours"),
    NoticeKind.DISPUTE_OPENED: msgid("Somebody says that your account is theirs"),
    NoticeKind.DISPUTE_DECIDED: msgid("A question about an account is decided"),
    NoticeKind.AUTHENTICATOR_ADDED: msgid("There is a new way to sign in as you"),
    NoticeKind.AUTHENTICATOR_REMOVED: msgid("A way to sign in was removed"),
    NoticeKind.AUTHENTICATOR_BLOCKED: msgid("We blocked a way to sign in"),
    NoticeKind.PASSWORD_CHANGED: msgid("Your password was changed"),
    NoticeKind.ACTIVATION_ISSUED: msgid("A code to open your account was issued"),
    NoticeKind.ACCOUNT_ACTIVATED: msgid("Your account is ready"),
    NoticeKind.RECOVERY_OPENED: msgid("Somebody wants to set up your sign-in anew"),
    NoticeKind.RECOVERY_STOPPED: msgid("Setting up your sign-in anew was stopped"),
    NoticeKind.RECOVERY_DONE: msgid("Your sign-in was set up anew"),
}

TEXTS: Mapping[NoticeKind, str] = {
    NoticeKind.LINK_ESTABLISHED: msgid("The account %(account)s at %(network)s was linked with you."),
    NoticeKind.LINK_RENEWED: msgid("The link of the account %(account)s at %(network)s was renewed."),
    NoticeKind.LINK_SUSPENDED: msgid(
        "The link of the account %(account)s at %(network)s is suspended. The network does not learn why."
    ),
    NoticeKind.LINK_REINSTATED: msgid("The link of the account %(account)s at %(network)s is active again."),
    NoticeKind.LINK_LAPSED: msgid(
        "The link of the account %(account)s at %(network)s has expired. You can renew it at the network."
    ),
    NoticeKind.LINK_ENDED: msgid(
        "The link of the account %(account)s at %(network)s was ended. The account itself stays as it is."
    ),
    NoticeKind.REATTACHED: msgid(
        "%(network)s gave an account that is linked with you another name. It is now %(account)s."
    ),
    NoticeKind.REVERIFY_REQUESTED: msgid(
        "%(network)s asks you to confirm that the account %(account)s is still yours. Begin at the network."
    ),
    NoticeKind.LINKS_QUICKLY: msgid(
        "Within a day, accounts at %(count)s networks were linked with you. If it was not you, end them, and"
        " freeze new links."
    ),
    NoticeKind.FREEZE_ON: msgid(
        "From now on no new account can be linked with you, until you allow it again."
    ),
    NoticeKind.FREEZE_OFF: msgid(
        "New accounts can be linked with you again. If you did not allow it, freeze new links and change your"
        " password."
    ),
    NoticeKind.PREFERENCES_CHANGED: msgid(
        "The language or the ways in which we write to you were changed. If it was not you, change your"
        " password."
    ),
    NoticeKind.CASE_OPENED: msgid(
        "You told us that something about the account %(account)s at %(network)s was not you. The number of"
        " your case is %(reference)s."
    ),
    NoticeKind.CASE_CLOSED: msgid("Your case %(reference)s is decided. See My cases."),
    NoticeKind.CORRECTION_ASKED: msgid(
        "You say that the register holds something wrong about you. The number of your case is"
        " %(reference)s. If it was not you, tell us at once."
    ),
    NoticeKind.NEW_REQUEST_WAITING: msgid("%(network)s waits for an answer that only you can give."),
    NoticeKind.GUARDIAN_REQUEST: msgid(
        "A child in your care wants to link an account at %(network)s and needs your answer."
    ),
    NoticeKind.GUARDIAN_DECIDED: msgid(
        "Your guardian has answered about the account %(account)s at %(network)s."
    ),
    NoticeKind.HAND_OVER_DUE: msgid(
        "You are 16. Decide now yourself whether the account %(account)s at %(network)s stays linked."
    ),
    NoticeKind.MISUSE_REPORTED: msgid(
        "%(network)s suspects that somebody misuses the account %(account)s, which is linked with you."
        " The link stays as it is while we look. The number of the case is %(reference)s."
    ),
    NoticeKind.DISPUTE_OPENED: msgid(
        "Somebody says that the account %(account)s at %(network)s, which is linked with you, is theirs."
        " Please answer. The number of the case is %(reference)s."
    ),
    NoticeKind.DISPUTE_DECIDED: msgid(
        "It is decided whose the account %(account)s at %(network)s is. The number of the case is"
        " %(reference)s."
    ),
    NoticeKind.AUTHENTICATOR_ADDED: msgid(
        "From now on one can sign in as you with this, too: %(what)s. If it was not you, remove it at once."
    ),
    NoticeKind.AUTHENTICATOR_REMOVED: msgid(
        "From now on nobody can sign in with this any more: %(what)s. If it was not you, look at what is"
        " left."
    ),
    NoticeKind.AUTHENTICATOR_BLOCKED: msgid(
        "Somebody guessed at it or copied it, so nobody can sign in with this any more: %(what)s."
    ),
    NoticeKind.PASSWORD_CHANGED: msgid("If it was not you, sign in another way and set a new one at once."),
    NoticeKind.ACTIVATION_ISSUED: msgid(
        "With this code one sets up how you sign in. If you did not ask for it, stop it."
    ),
    NoticeKind.ACCOUNT_ACTIVATED: msgid("You can sign in now. If it was not you, tell us at once."),
    NoticeKind.RECOVERY_OPENED: msgid(
        "After a wait of some hours, whoever asked for it can set up how you sign in. If it was not you, stop"
        " it."
    ),
    NoticeKind.RECOVERY_STOPPED: msgid("Nothing was changed. You sign in as before."),
    NoticeKind.RECOVERY_DONE: msgid(
        "What let you in before does so no more, and you were signed out everywhere. If it was not you, tell"
        " us at once."
    ),
}

CREDENTIALS: Mapping[Credential, str] = {
    Credential.PASSKEY: msgid("a passkey"),
    Credential.PHONE: msgid("a phone with our app"),
    Credential.TOTP: msgid("an authenticator app"),
    Credential.RECOVERY_CODES: msgid("recovery codes"),
    Credential.PASSWORD: msgid("a password"),
    Credential.BROWSER: msgid("a trusted browser"),
    Credential.UPSTREAM: msgid("another identity provider"),
}
"""What a notice says was added or removed."""

CHANNELS: Mapping[Channel, str] = {
    Channel.EMAIL: msgid("by e-mail"),
    Channel.SMS: msgid("by text message"),
    Channel.PUSH: msgid("in the app"),
}

AT = msgid("At %(time)s:")
NOT_YOU = msgid(
    "Was it not you? Open this address and press the button there. It works at once, without a password:"
)
STOP_IT = msgid("To stop it, open this address and press the button there. It works without a password:")
SEE_SIGN_IN = msgid("How you sign in, and what you can remove:")
NOT_YOU_IN_SHORT = msgid("Not you?")
CHECK_ADDRESS = msgid(
    "Look at the address first: it begins with %(issuer)s/ and with nothing else. We never call you, and"
    " never ask for a password or a code."
)
SEE_ALL = msgid("Everything that is linked with you:")
SIGNATURE = msgid("Nobody reads answers to this message.")


def notice_filters(translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters of one language's templates, by their names there."""
    translate = translations.ugettext

    def text(facts: NoticeFacts) -> Markup:
        """Say what a notice tells; what a network wrote is escaped and fenced."""
        return escape(translate(TEXTS[facts.kind])) % {
            "network": isolate(facts.network),
            "account": isolate(facts.account),
            "reference": facts.reference,
            "count": facts.count,
            "what": "" if facts.what is None else translate(CREDENTIALS[facts.what]),
        }

    return {
        "notice_channel": lambda channel: translate(CHANNELS[channel]),
        "credential": lambda what: translate(CREDENTIALS[what]),
        "notice_text": text,
        "notice_title": lambda kind: translate(TITLES[kind]),
    }
