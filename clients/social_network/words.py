"""The words of the pages, Vietnamese first. The same keys in every language; a test compares them."""

DEFAULT_LANGUAGE = "vi"

VIETNAMESE: dict[str, str] = {
    "language": "vi",
    "skip": "Đến nội dung",
    "tagline": "Quán nhỏ đầu ngõ, chuyện của người thật.",
    "home": "Trang chủ",
    "my_page": "Trang của tôi",
    "settings": "Cài đặt",
    "sign_out": "Ra khỏi quán",
    "everywhere_title": "Đăng xuất ở cả hai nơi",
    "everywhere_text": (
        "Bạn đã đăng nhập ở nơi xác thực khi liên kết. Trên máy dùng chung, hãy đăng xuất cả ở đó."
    ),
    "everywhere": "Đăng xuất cả hai nơi",
    "made_up": "Quán Cóc là mạng xã hội mẫu. Mọi người và mọi bài viết ở đây đều là giả lập.",
    "welcome_title": "Kéo ghế ngồi chơi.",
    "welcome_text": (
        "Một góc nhỏ để kể chuyện trong ngày. Ai cũng đọc được; ai đã liên kết tài khoản với "
        "một người thật thì kể được."
    ),
    "choose_account": "Hôm nay bạn vào quán với tư cách ai?",
    "choose_hint": "Ba tài khoản giả lập, không cần mật khẩu.",
    "just_now": "vừa xong",
    "minutes_ago": "{} phút trước",
    "hours_ago": "{} giờ trước",
    "feed_title": "Chuyện trong quán",
    "feed_empty": "Chưa có chuyện nào. Ghế vẫn còn trống.",
    "composer_label": "Kể gì đó cho quán nghe",
    "composer_placeholder": "Hôm nay có gì vui?",
    "composer_limit": "Tối đa {} ký tự",
    "post": "Đăng",
    "post_empty": "Bạn chưa viết gì cả.",
    "post_long": "Dài quá một chút. Bớt vài chữ nhé.",
    "post_hidden": "Trong bài có ký tự ẩn. Bạn gõ lại giúp quán nhé.",
    "locked_title": "Góc viết đang để dành cho bạn",
    "lack_link_needed": (
        "Ở quán này, bài viết là của người thật. Liên kết tài khoản một lần là dùng được. "
        "Đọc thì lúc nào cũng được."
    ),
    "lack_link_suspended": (
        "Liên kết của bạn đang tạm ngưng. Quán không được biết vì sao; trang của nhà cung cấp cho bạn biết "
        "cần làm gì. Tài khoản và bài viết của bạn vẫn còn nguyên."
    ),
    "lack_link_lapsed": "Liên kết của bạn đã hết hạn. Liên kết lại là dùng tiếp được.",
    "lack_proofing_too_low": (
        "Việc này cần danh tính đã xác minh trực tiếp (mức 2). Bạn làm điều đó ở cơ quan cấp giấy tờ, "
        "rồi liên kết lại."
    ),
    "lack_reverify_due": "Đã đến lúc xác nhận lại liên kết. Chỉ cần đăng nhập một lần ở nhà cung cấp.",
    "lack_acr_too_low": "Việc này cần cách đăng nhập mạnh hơn ở nhà cung cấp.",
    "lack_not_fresh": (
        "Việc này cần một lần đăng nhập vừa mới đây, để người mua biết đúng là bạn. "
        "Bạn đăng nhập lại ở nhà cung cấp rồi quay về đây ngay."
    ),
    "lack_unknown_feature": "Lúc này chưa dùng được.",
    "step_up": "Xác nhận ở nhà cung cấp",
    "ask_provider": "Xem ở nhà cung cấp",
    "live_open": "Bán hàng trực tiếp",
    "live_title": "Bán hàng trực tiếp",
    "live_locked": "Sạp hàng còn khoá",
    "live_label": "Hôm nay bạn bán gì?",
    "live_start": "Mở sạp",
    "live_until": "Mở được đến {}",
    "live_post": "Đang bán trực tiếp:",
    "live_why": "Theo luật, người bán hàng qua livestream phải được xác định danh tính.",
    "locked_know": (
        "Quán chỉ biết: sau tài khoản này là một người đã xác thực, ở mức nào, và đủ 16 tuổi hay chưa "
        "nếu bạn đồng ý."
    ),
    "locked_not": "Quán không biết: tên, số định danh, ngày sinh, số điện thoại của bạn.",
    "link": "Liên kết tài khoản của tôi",
    "link_again": "Liên kết lại",
    "verified": "đã xác thực",
    "verified_long": "Tài khoản này được liên kết với một người đã xác thực, từ {}.",
    "verified_private": "Quán không biết và không hiện tên thật.",
    "not_verified": "Chưa liên kết",
    "level": "Mức xác thực",
    "level_vn1": "Mức 1: đã khai và đối chiếu từ xa",
    "level_vn2": "Mức 2: đã xác minh trực tiếp",
    "level_vnf": "Người nước ngoài: đã xác minh trực tiếp",
    "level_none": "Không chia sẻ với quán",
    "sign_in_level": "Cách đăng nhập lúc liên kết",
    "acr_vn-1": "Một yếu tố",
    "acr_vn-2": "Hai yếu tố khác nhau",
    "acr_vn-3": "Hai yếu tố, có sinh trắc học",
    "acr_vn-4": "Ba yếu tố, có sinh trắc học",
    "since": "Liên kết từ",
    "until": "Có hiệu lực đến",
    "checked": "Kiểm tra lần cuối",
    "status": "Trạng thái",
    "status_active": "Đang hiệu lực",
    "status_ended": "Đã kết thúc",
    "status_lapsed": "Đã hết hạn",
    "status_suspended": "Đang tạm ngưng",
    "as_of": "Nhà cung cấp báo lần cuối",
    "receipt_title": "Biên nhận",
    "receipt_text": (
        "Quán giữ biên nhận có chữ ký của nhà cung cấp và vừa kiểm lại chữ ký đó, không phải hỏi ai."
    ),
    "receipt_signed": "Ký lúc",
    "receipt_issuer": "Người ký",
    "receipt_policy": "Theo chính sách số",
    "mark": "Kiểm tra tài khoản này",
    "mark_text": "Bạn đã bật dấu công khai: ai cũng kiểm tra được tài khoản này là thật.",
    "link_title": "Liên kết tài khoản",
    "link_none": (
        "Tài khoản {} chưa được liên kết. Liên kết để được đăng bài và có dấu xác thực. "
        "Bạn làm ở trang của nhà cung cấp xác thực, quán không thấy mật khẩu của bạn."
    ),
    "link_not_active": "Liên kết không còn hiệu lực. Tài khoản và bài viết của bạn vẫn còn nguyên.",
    "check": "Kiểm tra lại",
    "check_hint": "Quán chỉ hỏi về bạn khi bạn bấm nút này. Có gì thay đổi thì nhà cung cấp tự báo.",
    "end_title": "Muốn kết thúc liên kết?",
    "end_text": "Quán không giữ chìa khoá đó. Bạn kết thúc ở nhà cung cấp, trong trang",
    "end_page": "Tài khoản đã liên kết",
    "end_after": ("Vài giây sau quán được báo và góc viết khoá lại. Tài khoản và bài viết của bạn vẫn còn."),
    "age_purpose": "Để mở những góc dành cho người từ 16 tuổi",
    "posts_of": "Bài viết",
    "no_posts": "Chưa có bài viết nào.",
    "notice_linked": "Xong rồi! Tài khoản của bạn đã được liên kết. Mời bạn kể chuyện.",
    "notice_confirmed": "Cảm ơn bạn, đã xác nhận. Mời bạn mở sạp.",
    "notice_suspended": "Liên kết đang tạm ngưng. Trang của nhà cung cấp cho bạn biết cần làm gì.",
    "notice_checked": "Liên kết vẫn còn hiệu lực.",
    "notice_ended": "Liên kết không còn hiệu lực. Góc viết đã khoá; bạn có thể liên kết lại bất cứ lúc nào.",
    "error_title": "Chưa liên kết được",
    "error_access_denied": "Bạn đã chọn không liên kết, hoặc lúc này chưa được. Không có gì thay đổi.",
    "error_unavailable": "Nhà cung cấp xác thực đang bận hoặc mất kết nối. Bạn thử lại sau vài phút nhé.",
    "error_callback": "Câu trả lời này không thuộc lần liên kết bạn bắt đầu ở đây. Bạn bắt đầu lại nhé.",
    "error_late": "Lần liên kết này đã để quá lâu. Bạn bắt đầu lại nhé.",
    "error_other": "Có gì đó chưa ổn nên quán chưa liên kết. Không có gì thay đổi. Bạn thử lại nhé.",
    "problem_title": "Khoan đã",
    "problem_form": "Trang này đã cũ hoặc không gửi từ quán. Chưa lưu gì cả. Bạn mở lại trang rồi thử nhé.",
    "problem_missing": "Không có ai ở địa chỉ này.",
    "back_home": "Về quán",
}

ENGLISH: dict[str, str] = {
    "language": "en",
    "skip": "Skip to content",
    "tagline": "A corner stall, stories by real people.",
    "home": "Home",
    "my_page": "My page",
    "settings": "Settings",
    "sign_out": "Leave the stall",
    "everywhere_title": "Sign out in both places",
    "everywhere_text": (
        "You signed in at the provider when you linked. On a device that others use, sign out there too."
    ),
    "everywhere": "Sign out in both",
    "made_up": "Quán Cóc is a sample network. Everybody and everything posted here is made up.",
    "welcome_title": "Pull up a stool.",
    "welcome_text": (
        "A small corner for the stories of the day. Everybody may read; whoever has linked the account "
        "to a real person may tell."
    ),
    "choose_account": "Who are you today?",
    "choose_hint": "Three made-up accounts, no password needed.",
    "just_now": "just now",
    "minutes_ago": "{} min ago",
    "hours_ago": "{} h ago",
    "feed_title": "Stories at the stall",
    "feed_empty": "No stories yet. There is a free stool.",
    "composer_label": "Tell the stall something",
    "composer_placeholder": "What made you smile today?",
    "composer_limit": "At most {} characters",
    "post": "Post",
    "post_empty": "There is nothing written yet.",
    "post_long": "A little too long. Please leave out a few words.",
    "post_hidden": "There are hidden characters in it. Please type it again.",
    "locked_title": "This corner is kept for you",
    "lack_link_needed": (
        "At this stall, posts come from real people. Link your account once and this is yours. "
        "Reading is always open."
    ),
    "lack_link_suspended": (
        "Your link is suspended for now. We are not told why; the provider's page says what you can do. "
        "Your account and your posts are all still here."
    ),
    "lack_link_lapsed": "Your link has run out. Link again and go on.",
    "lack_proofing_too_low": (
        "This needs an identity that was verified in person (level 2). You do that where your papers are "
        "issued, and then link again."
    ),
    "lack_reverify_due": "It is time to confirm your link. One sign-in at the provider is enough.",
    "lack_acr_too_low": "This needs a stronger sign-in at the provider.",
    "lack_not_fresh": (
        "This needs a sign-in of just now, so that buyers know it is you. "
        "Sign in at the provider once more and come right back."
    ),
    "lack_unknown_feature": "This is not available at the moment.",
    "step_up": "Confirm at the provider",
    "ask_provider": "See at the provider",
    "live_open": "Sell live",
    "live_title": "Sell live",
    "live_locked": "The stall is still closed",
    "live_label": "What do you sell today?",
    "live_start": "Open the stall",
    "live_until": "Open to you until {}",
    "live_post": "Selling live:",
    "live_why": "By law, whoever sells in a live stream is identified.",
    "locked_know": (
        "We will know: a verified person stands behind this account, at which level, and whether they are "
        "16 or older if you agree."
    ),
    "locked_not": "We will not know: your name, personal number, birth date or phone number.",
    "link": "Link my account",
    "link_again": "Link again",
    "verified": "verified",
    "verified_long": "This account is linked to a verified person, since {}.",
    "verified_private": "We do not know the real name and do not show it.",
    "not_verified": "Not linked",
    "level": "Level",
    "level_vn1": "Level 1: declared and matched remotely",
    "level_vn2": "Level 2: verified in person",
    "level_vnf": "Foreigner: verified in person",
    "level_none": "Not shared with us",
    "sign_in_level": "Sign-in when it was linked",
    "acr_vn-1": "One factor",
    "acr_vn-2": "Two different factors",
    "acr_vn-3": "Two factors, one biometric",
    "acr_vn-4": "Three factors, one biometric",
    "since": "Linked since",
    "until": "Valid until",
    "checked": "Last checked",
    "status": "Status",
    "status_active": "Active",
    "status_ended": "Ended",
    "status_lapsed": "Expired",
    "status_suspended": "Suspended",
    "as_of": "Last word of the provider",
    "receipt_title": "Receipt",
    "receipt_text": (
        "We keep the provider's signed receipt, and have just verified it without asking anybody."
    ),
    "receipt_signed": "Signed at",
    "receipt_issuer": "Signed by",
    "receipt_policy": "Under policy number",
    "mark": "Check this account",
    "mark_text": "You have switched on the public mark: anybody can check that this account is genuine.",
    "link_title": "Account link",
    "link_none": (
        "The account {} is not linked. Link it to post and to wear the verified mark. "
        "You do that on the pages of the provider; we never see your password."
    ),
    "link_not_active": "The link is no longer valid. Your account and your posts are all still here.",
    "check": "Check again",
    "check_hint": "We ask about you only when you press this. The provider tells us when something changes.",
    "end_title": "Want to end the link?",
    "end_text": "We do not hold that key. You end it at the provider, on the page",
    "end_page": "My linked accounts",
    "end_after": "Seconds later we are told, and the composer locks. Your account and your posts stay.",
    "age_purpose": "To open the corners for people of 16 and older",
    "posts_of": "Posts",
    "no_posts": "No posts yet.",
    "notice_linked": "Done! Your account is linked. Tell us a story.",
    "notice_confirmed": "Thank you, that is confirmed. The stall is yours.",
    "notice_suspended": "The link is suspended for now. The provider's page says what you can do.",
    "notice_checked": "The link is still valid.",
    "notice_ended": "The link is no longer valid. The composer is locked; you can link again at any time.",
    "error_title": "Not linked",
    "error_access_denied": "You chose not to link, or it is not possible now. Nothing has changed.",
    "error_unavailable": "The provider is busy or cannot be reached. Please try again in a few minutes.",
    "error_callback": "This answer does not belong to the linking you started here. Please start again.",
    "error_late": "This linking took too long. Please start again.",
    "error_other": "Something was not right, so we did not link. Nothing has changed. Please try again.",
    "problem_title": "One moment",
    "problem_form": "This page is old or was not sent from here. Nothing was stored. Please open it again.",
    "problem_missing": "Nobody lives at this address.",
    "back_home": "Back to the stall",
}

WORDS: dict[str, dict[str, str]] = {"vi": VIETNAMESE, "en": ENGLISH}
