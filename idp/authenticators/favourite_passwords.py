"""Passwords that a person who knows Viet Nam guesses first: words, names, runs of keys, dates. By rule.

Lists from leaks know little of them (`common_passwords`), and what surrounds a favourite word varies without
end. So a password is taken apart: what remains between usual beginnings and endings, in any way of typing
(`vietnamese_typing`), is looked up among words that are written down here for everybody to read and add to.
All of it works on the folded password (`common_passwords.fold`).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache

from idp.authenticators.vietnamese_typing import typed_forms

VIETNAMESE = """
    mật khẩu/mật mã/mật khẩu mới/đăng nhập/bảo mật/bí mật/mở cửa/vừng ơi mở ra/xin chào/chào bạn/tài khoản
    không biết/không nhớ/không có/không quên/quên rồi/quên mất rồi/không cho/không nói/chưa biết/để làm gì
    anh yêu em/em yêu anh/yêu em/yêu anh/yêu em nhiều/yêu anh nhiều/yêu em mãi mãi/anh nhớ em/em nhớ anh
    nhớ em/nhớ anh/tôi yêu em/tôi yêu anh/tao yêu mày/vợ yêu/chồng yêu/con yêu/mẹ yêu/bố yêu/ba yêu/cha yêu
    bé yêu/em bé/con gái/con trai/con cưng/gia đình/gia đình tôi/gia đình là số một/bố mẹ/ba mẹ/cha mẹ
    ông bà/vợ chồng/tình yêu/mãi mãi/mãi yêu/yêu mãi/mãi bên nhau/một đời/hạnh phúc/bình an/an lành/may mắn
    thành công/phát tài/phát lộc/lộc phát/tài lộc/phú quý/giàu có/tỷ phú/triệu phú/tiền bạc/nhiều tiền
    cuộc sống/cuộc đời/ước mơ/nỗi nhớ/cô đơn/buồn/vui vẻ/hy vọng/niềm tin/tự do/độc lập/tổ quốc/quê hương
    đất nước/thiên thần/ác quỷ/hoàng tử/công chúa/hoa hồng/hoa sen/hoa mai/mặt trời/mặt trăng/bầu trời
    biển xanh/mưa/mùa xuân/mùa thu/con rồng/con mèo/con chó/rồng vàng/hổ/gấu/heo con/lợn con/thỏ con/bóng đá
    học sinh/sinh viên/cô giáo/việt nam/việt nam vô địch/tôi yêu việt nam/yêu việt nam/hà nội/sài gòn
    hồ chí minh/đà nẵng/hải phòng/cần thơ/huế/nha trang/đà lạt/vũng tàu/biên hòa/bình dương/đồng nai/nghệ an
    thanh hóa/quảng ninh/hạ long/nam định/thái bình/hải dương/hưng yên/bắc ninh/bắc giang/thái nguyên
    phú thọ/hà tĩnh/quảng bình/quảng nam/phú quốc/cà mau/an giang/long an/tiền giang/bến tre/kiên giang
    tây ninh/gia lai/đắk lắk/lâm đồng/hoàng sa/trường sa/liên kết/căn cước/công dân/định danh/vô địch/số một
    bá đạo/đẹp trai/xinh gái/dễ thương/nguyễn/trần/lê/phạm/hoàng/huỳnh/phan/vũ/võ/đặng/bùi/đỗ/hồ/ngô/dương
    lý/nguyễn văn/nguyễn thị/trần văn/trần thị/lê văn/lê thị/phạm văn/phạm thị/nguyễn văn a/nguyễn thị a/an
    anh/bảo/bình/châu/chi/cường/diệp/dũng/duy/dung/đạt/đức/giang/hà/hải/hằng/hạnh/hiền/hiếu/hoa/hòa/hồng/huệ
    hùng/hưng/hương/huy/huyền/khánh/khoa/khôi/kiên/lan/linh/loan/long/ly/mai/mạnh/minh/my/nam/nga/ngân/ngọc
    nguyên/nhân/nhi/nhung/oanh/phong/phúc/phương/phượng/quân/quang/quyên/quỳnh/sơn/tâm/tân/tấn/thành/thanh
    thảo/thắng/thắm/thịnh/thu/thủy/thúy/thư/thương/tiến/tiên/toàn/trang/trâm/trí/trinh/trung/trường/tú/tuấn
    tùng/tuyết/uyên/vân/việt/vinh/vy/xuân/yến/ngọc anh/minh anh/tuấn anh/hoàng anh/quỳnh anh/phương anh
    thu hà/thu hương/thu trang/thanh hương/minh tuấn/minh khôi/gia bảo/gia huy/bảo ngọc/bảo anh/khánh linh
    thùy linh/mỹ linh/ngọc lan/tuyết mai/thanh tâm
"""
"""Words, places and given names, as they are written properly."""
FOREIGN = """
    password pass passwd matkhau admin administrator user guest root test login welcome hello default
    changeme secret letmein iloveyou ilove love lovely babylove honey baby sexy angel princess monkey dragon
    master shadow superman batman football facebook zalo google gmail yahoo tiktok youtube instagram viber
    shopee momo vietcombank vnpay viettel vinaphone mobifone fpt samsung iphone apple nokia oppo xiaomi
    lienket vneid vneidvn chipchip bkav barca realmadrid manutd mancity liverpool chelsea arsenal juventus
    ronaldo messi cr7 bts blackpink doraemon pikachu naruto songoku conan pokemon lienquan freefire pubg
"""
"""Words of elsewhere that people here take, and names of what they use."""

_ROWS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
    "147258369",
    "159753",
    "741852963",
    "13579",
    "24680",
    "!@#$%^&*()",
)
_RUNS = tuple(run for row in _ROWS for run in (row * 2, row[::-1] * 2))
_SHORTEST_RUN = 3
_REPEATED = re.compile(r"(.+?)\1+")
_LONGEST_UNIT = 4
_ARBITRARY = 4
"""So many characters around a word add nothing: whoever guesses tries them all."""
_LONGEST_AROUND = 12
_LOOKALIKES = str.maketrans("@4031!$57", "aaoeiisst")
_SIGNS = re.compile(r"[^0-9a-z]")
_FIRST_YEAR, _LAST_YEAR = 1900, 2039
_DATE_DIGITS = 8
_DATES = (
    ((4, 8), (2, 4), (0, 2)),
    ((4, 8), (0, 2), (2, 4)),
    ((0, 4), (4, 6), (6, 8)),
)
"""Where year, month and day stand in ddmmyyyy, mmddyyyy and yyyymmdd."""


def is_favourite(folded: str, own_words: Iterable[str] = ()) -> bool:
    """Tell whether a password is what is guessed first; `own_words` are folded words about its person."""
    unit = _unit(folded)
    if len(unit) <= _LONGEST_UNIT < len(folded) or _is_made_of_runs(unit) or is_date(folded):
        return True
    words = _words().union(own_words)
    return any(
        core in words or core.translate(_LOOKALIKES) in words or _is_made_of_runs(core)
        for core in {*_cores(unit), *_cores(_SIGNS.sub("", unit))}
    )


def is_date(folded: str) -> bool:
    """Tell whether a password is a day between 1900 and 2039, in any usual order, whatever stands between."""
    digits = _SIGNS.sub("", folded)
    if len(digits) != _DATE_DIGITS or not digits.isdecimal():
        return False
    return any(_is_day(*(int(digits[first:end]) for first, end in order)) for order in _DATES)


def _is_day(year: int, month: int, day: int) -> bool:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return False
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _cores(text: str) -> Iterator[str]:
    """Return what remains of a text, a letter at least, without beginnings and endings that add nothing."""
    for first in range(min(len(text), _ARBITRARY + 1)):
        if not _adds_nothing(text[:first]):
            continue
        for end in range(max(first + 1, len(text) - _LONGEST_AROUND), len(text) + 1):
            core = text[first:end]
            if any(map(str.isalpha, core)) and _adds_nothing(text[end:]):
                yield core


def _adds_nothing(around: str) -> bool:
    """Tell whether what stands around a word is no obstacle: digits and signs, few or in a usual order."""
    if any(map(str.isalpha, around)):
        return False
    digits = _SIGNS.sub("", around)
    return (
        len(around) <= _ARBITRARY
        or _is_made_of_runs(digits)
        or is_date(digits)
        or len(_unit(digits)) <= _LONGEST_UNIT
    )


def _is_made_of_runs(text: str) -> bool:
    """Tell whether a text is nothing but neighbouring keys or letters: "123qweasd"."""
    at = 0
    while at < len(text):
        end = at + _SHORTEST_RUN
        if end > len(text) or not any(text[at:end] in run for run in _RUNS):
            return False
        while end < len(text) and any(text[at : end + 1] in run for run in _RUNS):
            end += 1
        at = end
    return bool(text)


def _unit(text: str) -> str:
    """Return what a text repeats from beginning to end; the text itself where it repeats nothing."""
    found = _REPEATED.fullmatch(text)
    return text if found is None else found[1]


@cache
def _words() -> frozenset[str]:
    """Return every word in every way of typing; made once."""
    vietnamese = VIETNAMESE.replace("\n", "/").split("/")
    return frozenset(FOREIGN.split()).union(*map(typed_forms, filter(str.strip, vietnamese)))
