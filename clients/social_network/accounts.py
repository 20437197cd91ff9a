"""Accounts, posts and links as this network keeps them, and the little world it starts with."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clients.relying_party import SignIn

LONGEST_POST = 280


@dataclass(frozen=True, slots=True)
class Account:
    """A member. The id is random and never changes; handle and name may."""

    account_id: str
    handle: str
    name: str
    about: str
    is_demo: bool
    """Whether anybody may sign in as this member: the network's own sign-in is not the point here."""
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """What the network keeps of an account link: no name, no number, no birth date."""

    account_id: str
    subject: str
    link_id: str
    status: str
    """`active`, `suspended`, `lapsed` or `ended`, as the latest event, status list or answer has it."""
    acr: str
    level: str | None
    """`vn1`, `vn2`, `vnf`, of the receipt; None where there is none and the person kept it to themselves."""
    linked_at: datetime
    expires_at: datetime
    checked_at: datetime
    access_token: str = field(repr=False)
    access_expires_at: datetime
    as_of: datetime
    """The moment of which `status` is known."""
    refresh_token: str | None = field(default=None, repr=False)
    receipt: str | None = field(default=None, repr=False)
    """What the provider signed, kept as it came: it proves the link for years, without asking anybody."""
    mark_uri: str | None = None
    """Where anybody may check this account; None unless the member wants that."""
    reverify_requested_at: datetime | None = None
    sign_ins: tuple[SignIn, ...] = ()
    """The newest sign-in of each strength that the provider told of."""

    def is_active(self, now: datetime) -> bool:
        """Tell whether this account counts as verified: not ended, not past its date."""
        return self.status == "active" and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Post:
    """Something somebody said."""

    author: Account
    text: str
    posted_at: datetime
    picture: str | None = None
    link: Link | None = None


class UnfitPostError(ValueError):
    """The text cannot be posted; the value says why, as a key of words.py."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def read_post(text: str) -> str:
    """Return the text as it is kept: NFC, plain line ends. Raises UnfitPostError."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    plain = re.sub(r"\n{3,}", "\n\n", plain)
    if not plain:
        raise UnfitPostError("post_empty")
    if len(plain) > LONGEST_POST:
        raise UnfitPostError("post_long")
    if _HIDDEN.search(plain):
        raise UnfitPostError("post_hidden")
    return plain


MEMBERS: tuple[tuple[str, str, str, bool], ...] = (
    ("lan", "Lan Chè Sen", "Bán chè sen cuối phố, mở cửa từ bốn giờ chiều.", True),
    ("minh", "Minh Sửa Xe", "Vá xe, kể chuyện, không thu tiền chuyện.", True),
    ("hlen", "H'Len Cà Phê", "Rang cà phê ở Buôn Ma Thuột, thích mưa.", True),
    ("cotu", "Cô Tư Trà Đá", "Bàn ba cái ghế, lúc nào cũng còn chỗ.", False),
    ("tuan", "Tuấn Chạy Chợ", "Sáng chợ đầu mối, chiều chạy bộ bờ hồ.", False),
    ("maive", "Mai Vẽ", "Vẽ phố bằng bút bi xanh.", False),
)
"""Handle, name, about, and whether a visitor may sign in as them. All made up."""

FIRST_POSTS: tuple[tuple[str, timedelta, str, str | None], ...] = (
    (
        "cotu",
        timedelta(minutes=35),
        "Sáng nay mưa lất phất, trà mới ủ còn nóng. Ai đi ngang thì ghé, cô để dành cho cái ghế đỏ.",
        "stall",
    ),
    (
        "tuan",
        timedelta(hours=3),
        "Chạy đủ năm vòng hồ rồi mới dám ăn bún chả. Kết quả: năm vòng hồ, hai suất bún chả.",
        None,
    ),
    (
        "maive",
        timedelta(hours=20),
        "Vẽ xong con ngõ nhỏ trước nhà. Thiếu mỗi con mèo vàng hay nằm trên yên xe, mai vẽ tiếp.",
        "alley",
    ),
)
