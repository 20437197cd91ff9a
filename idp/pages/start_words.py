"""The words of the start page: what a person should look at, one sentence each."""

from collections.abc import Callable, Mapping

from babel.support import Translations

from idp.pages.start_views import Attention, AttentionKind
from idp.pages.words import msgid

ATTENTION: Mapping[AttentionKind, str] = {
    AttentionKind.RECOVERY_OPEN: msgid(
        "Somebody is setting up your sign-in anew. If it is not you, stop it now."
    ),
    AttentionKind.CASE_ASKED: msgid("Somebody says that an account of yours is theirs. Please answer."),
    AttentionKind.REQUESTS_WAIT: msgid("Requests that wait for your answer: %(count)s."),
    AttentionKind.CHILDREN_ASK: msgid("Questions from your children: %(count)s."),
    AttentionKind.OWN_CONSENT_DUE: msgid("You are 16: say whether this link stays."),
    AttentionKind.REVERIFY_ASKED: msgid("A network asks you to confirm that an account is still yours."),
    AttentionKind.FROZEN: msgid("New links are frozen: no account can be linked with you."),
    AttentionKind.PASSWORD_ALONE: msgid(
        "Only a password lets you in, and whoever learns it. Set up a second way."
    ),
    AttentionKind.NO_WAY_BACK: msgid(
        "If you lose your only device, you cannot get in. Write down recovery codes."
    ),
}


def start_filters(translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters of one language's templates, by their names there."""
    translate = translations.ugettext

    def attention(each: Attention) -> str:
        return translate(ATTENTION[each.kind]) % {"count": each.count}

    return {"attention": attention}
