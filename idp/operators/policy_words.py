"""What a new version of the feature policy changes, and for whom, in words: for whoever decides on it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from idp.identity.assurance import Acr, Proofing
from idp.identity.feature_policy import BeforeDeadline, Deadline, FeaturePolicy, Requirement
from idp.protocol.feature_policy_document import instant


def changes_in_words(before: FeaturePolicy, after: FeaturePolicy) -> tuple[str, ...]:
    """Return one sentence for each change; none where the two say the same."""
    return tuple(_changes(before, after))


def requirement_in_words(requirement: Requirement) -> str:
    """Return what a feature needs as the end of a sentence."""
    parts = [
        f"a link proofed as {requirement.min_proofing} or better",
        f"a sign-in of {requirement.min_acr} or better{_of_the_last(requirement.max_age)}",
    ]
    if requirement.reverify_after is not None:
        parts.append(f"confirmed within {_span(requirement.reverify_after)}")
    if requirement.before_deadline is BeforeDeadline.RESTRICT:
        parts.append("from everybody at once, whatever the deadline")
    return ", ".join(parts)


def deadline_in_words(deadline: Deadline | None) -> str:
    """Return a deadline as the end of a sentence."""
    if deadline is None:
        return "none"
    return (
        f"accounts made before {instant(deadline.created_before)} are due at {instant(deadline.due_at)}, "
        f"with {_span(deadline.grace)} of grace"
    )


def _changes(before: FeaturePolicy, after: FeaturePolicy) -> Iterator[str]:
    for name in sorted(before.features.keys() | after.features.keys()):
        yield from _of_feature(name, before.features.get(name), after.features.get(name))
    if before.domestic != after.domestic:
        yield f"domestic platforms: {_of_deadline(before.domestic, after.domestic)}"
    for client_id in sorted(before.cross_border.keys() | after.cross_border.keys()):
        yield from _of_platform(client_id, before, after)


def _of_feature(name: str, before: Requirement | None, after: Requirement | None) -> Iterator[str]:
    if after is None:
        yield f"{name}: no longer named. Platforms allow nobody what the policy does not name."
    elif before is None:
        yield f"{name}: new. It needs {requirement_in_words(after)}."
    elif before != after:
        yield from (f"{name}: {change}" for change in _of_requirement(before, after))


def _of_requirement(before: Requirement, after: Requirement) -> Iterator[str]:
    if before.min_proofing != after.min_proofing:
        yield _of_level("proofed as", before.min_proofing, after.min_proofing)
    if before.min_acr != after.min_acr:
        yield _of_level("who signed in with", before.min_acr, after.min_acr)
    if before.max_age != after.max_age:
        yield (
            f"the sign-in may be {_any(after.max_age, 'of any age', 'old')}; "
            f"until now {_any(before.max_age, 'of any age', 'old')}."
        )
    if before.reverify_after != after.reverify_after:
        yield (
            f"people confirm their link {_any(after.reverify_after, 'never', 'after they were last here')}; "
            f"until now {_any(before.reverify_after, 'never', 'after they were last here')}."
        )
    if before.before_deadline != after.before_deadline:
        yield (
            "no deadline puts it off any more: accounts that wait for theirs are restricted at once."
            if after.before_deadline is BeforeDeadline.RESTRICT
            else "it waits for the deadline: accounts that are not due yet may go on without."
        )


def _of_level(what: str, before: Proofing | Acr, after: Proofing | Acr) -> str:
    """Say who loses or gains by another minimum; `vnf` for `vn2` is neither."""
    is_harder = not _satisfies(before, after)
    is_easier = not _satisfies(after, before)
    needs = f"needs people {what} {after} or better instead of {before}."
    if is_harder:
        return f"{needs} People {what} {before} may no longer, unless a deadline puts it off."
    return f"{needs} {f'People {what} {after} may, too.' if is_easier else 'Nobody is affected.'}"


def _satisfies(level: Proofing | Acr, minimum: Proofing | Acr) -> bool:
    if isinstance(level, Proofing) and isinstance(minimum, Proofing):
        return level.satisfies(minimum)
    return isinstance(level, Acr) and isinstance(minimum, Acr) and level.satisfies(minimum)


def _of_deadline(before: Deadline | None, after: Deadline | None) -> str:
    if after is None:
        return "there is no deadline any more. Every account meets the requirements at once."
    told = f"{deadline_in_words(after)}; until now {deadline_in_words(before)}."
    if before is None:
        return f"{told} Accounts older than that have time until then."
    parts = []
    if after.ends_at != before.ends_at:
        parts.append(f"They have {_more_or_less(before.ends_at, after.ends_at)} time.")
    if after.created_before != before.created_before:
        group = (
            "are due at once no longer" if after.created_before > before.created_before else "are due at once"
        )
        between = " and ".join(instant(at) for at in sorted((before.created_before, after.created_before)))
        parts.append(f"Accounts made between {between} {group}.")
    return " ".join((told, *parts))


def _of_platform(client_id: str, before: FeaturePolicy, after: FeaturePolicy) -> Iterator[str]:
    was, is_now = client_id in before.cross_border, client_id in after.cross_border
    old, new = before.cross_border.get(client_id), after.cross_border.get(client_id)
    if was and is_now and old == new:
        return
    if not is_now:
        yield f"{client_id}: counts as domestic from now on; {deadline_in_words(after.domestic)}."
    elif new is None:
        yield f"{client_id}: counts as cross-border and is not connected. Nothing is due there."
    else:
        yield f"{client_id}: is cross-border and connected; {deadline_in_words(new)}."


def _more_or_less(before: datetime, after: datetime) -> str:
    return f"{_span(abs(after - before))} {'more' if after > before else 'less'}"


def _of_the_last(span: timedelta | None) -> str:
    return "" if span is None else f" of the last {_span(span)}"


def _any(span: timedelta | None, otherwise: str, following: str) -> str:
    return otherwise if span is None else f"{_span(span)} {following}"


def _span(span: timedelta) -> str:
    """Return a span in the largest unit that it is whole in."""
    seconds = int(span.total_seconds())
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
