"""Redirect URIs: registration and the exact comparison. RFC 9700 §2.1; RFC 8252 §7; abuse class 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.errors import UntrustedRequestError
from idp.protocol.redirect_uris import RedirectURIError, check_redirect_uri_syntax, match_redirect_uri

CALLBACK = "https://network.example/callback"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param(CALLBACK, id="RFC 6749 §3.1.2 https"),
        pytest.param("https://network.example", id="RFC 3986 §3.3 no path"),
        pytest.param("https://network.example:8443/callback", id="RFC 3986 §3.2.3 port"),
        pytest.param("https://network.example/callback?tenant=1", id="RFC 6749 §3.1.2 query is kept"),
        pytest.param("https://network.example/@callback", id="RFC 3986 §3.3 an at sign in the path"),
        pytest.param("https://network.example/c%C3%A2u", id="RFC 3986 §2.1 percent-encoded UTF-8"),
        pytest.param("https://xn--mng-xua.example/callback", id="RFC 5890 punycode"),
        pytest.param("http://localhost:8100/callback", id="RFC 8252 §8.3 localhost"),
        pytest.param("http://127.0.0.1/callback", id="RFC 8252 §7.3 IPv4 loopback"),
        pytest.param("http://[::1]:8100/callback", id="RFC 8252 §7.3 IPv6 loopback"),
        pytest.param("example.network.app:/callback", id="RFC 8252 §7.1 private-use scheme"),
        pytest.param("example.network.app://callback", id="RFC 8252 §7.1 private-use scheme with a host"),
    ],
)
def test_an_honest_redirect_uri_may_be_registered(uri: str) -> None:
    check_redirect_uri_syntax(uri)


HOSTILE = {
    "RFC 6749 §3.1.2 empty": "",
    "RFC 6749 §3.1.2 relative path": "/callback",
    "RFC 6749 §3.1.2 relative to the scheme": "//network.example/callback",
    "RFC 6749 §3.1.2 fragment": "https://network.example/callback#there",
    "RFC 6749 §3.1.2 empty fragment": "https://network.example/callback#",
    "RFC 9700 §2.6 plain http": "http://network.example/callback",
    "RFC 9700 §2.6 http for a private address": "http://10.0.0.1/callback",
    "RFC 9700 §2.6 http for a name below localhost": "http://localhost.evil.example/callback",
    "RFC 9700 §2.6 http for another loopback address": "http://127.0.0.2/callback",
    "class 1 scheme in upper case": "HTTPS://network.example/callback",
    "class 1 host in upper case": "https://NETWORK.example/callback",
    "class 1 script": "javascript:alert(1)",
    "class 1 script dressed as an address": "javascript://network.example/%0aalert(1)",
    "class 1 data": "data:text/html,x",
    "class 1 vbscript": "vbscript:x",
    "class 1 file": "file:///etc/passwd",
    "class 1 blob": "blob:https://network.example/x",
    "class 1 view-source": "view-source:https://network.example/",
    "class 1 websocket": "wss://network.example/callback",
    "class 1 out-of-band": "urn:ietf:wg:oauth:2.0:oob",
    "RFC 8252 §7.1 scheme without a dot": "network:/callback",
    "RFC 8252 §7.1 scheme and nothing else": "example.network.app:",
    "RFC 8252 §7.1 scheme and a query": "example.network.app:?a=b",
    "RFC 8252 §7.1 no path": "example.network.app:callback",
    "RFC 8252 §7.1 user information": "example.network.app://user@callback",
    "class 1 Authlib 1.8 userinfo as port": "http://localhost:80@evil.example/callback",
    "class 1 user information": "https://network.example@evil.example/callback",
    "class 1 password": "https://a:b@network.example/callback",
    "class 1 CVE-2026-7504 several at signs": "https://a@b@evil.example/callback",
    "class 1 encoded at sign": "https://network.example%40evil.example/callback",
    "class 1 backslash behind the host": "https://network.example\\@evil.example/callback",
    "class 1 backslashes for slashes": "https:\\\\network.example\\callback",
    "class 1 backslash in the path": "https://network.example/call\\back",
    "class 1 encoded backslash": "https://network.example/%5c..%5cevil",
    "class 1 one slash": "https:/network.example/callback",
    "class 1 three slashes": "https:///network.example/callback",
    "class 1 no slash": "https:network.example/callback",
    "class 1 leading space": " https://network.example/callback",
    "class 1 trailing space": "https://network.example/callback ",
    "class 1 trailing line feed": "https://network.example/callback\n",
    "class 1 tab in the scheme": "java\tscript:alert(1)",
    "class 1 tab in the host": "https://network\t.example/callback",
    "class 1 CR LF": "https://network.example/\r\nSet-Cookie: a=b",
    "class 1 encoded CR LF": "https://network.example/%0d%0aSet-Cookie:a",
    "class 1 NUL": "https://network.example/\0",
    "class 1 encoded NUL": "https://network.example/callback%00.evil",
    "class 1 CVE-2026-3872 dot dot semicolon": "https://network.example/callback/..;/evil",
    "class 1 dot segments": "https://network.example/callback/../evil",
    "class 1 encoded dot segments": "https://network.example/callback/%2e%2e/evil",
    "class 1 dot segments behind encoded slashes": "https://network.example/callback%2f..%2fevil",
    "class 1 single dot": "https://network.example/./callback",
    "class 1 twice encoded": "https://network.example/%252e%252e/evil",
    "class 1 broken percent sign": "https://network.example/%zz",
    "class 1 wildcard host": "https://*.network.example/callback",
    "class 1 wildcard path": "https://network.example/*",
    "class 1 CVE-2026-18209 code in the query": "https://network.example/callback?code=mine",
    "class 1 CVE-2026-18209 encoded name": "https://network.example/callback?%63ode=mine",
    "class 1 CVE-2026-18209 behind a semicolon": "https://network.example/callback?a=1;state=mine",
    "class 1 CVE-2026-18209 array form": "https://network.example/callback?code[]=mine",
    "class 1 CVE-2026-18209 upper case": "https://network.example/callback?STATE=mine",
    "class 1 CVE-2026-18209 iss": "https://network.example/callback?iss=https://evil.example",
    "class 1 CVE-2026-18209 error": "https://network.example/callback?a=1&error",
    "class 1 CVE-2026-18209 response": "https://network.example/callback?response=x",
    "class 1 CVE-2026-18209 private-use scheme": "example.network.app:/callback?code=mine",
    "class 1 IDN homoglyph": "https://n\u0435twork.example/callback",
    "class 1 fullwidth dot": "https://network\uff0eexample/callback",
    "class 1 ideographic full stop": "https://network\u3002example/callback",
    "class 1 right-to-left override": "https://network.example/\u202ekcabllac",
    "class 1 zero-width space": "https://net\u200bwork.example/callback",
    "class 1 empty label": "https://network..example/callback",
    "class 1 trailing dot": "https://network.example./callback",
    "class 1 label that ends in a hyphen": "https://network-.example/callback",
    "class 1 empty host": "https:///callback",
    "class 1 empty host with a port": "https://:443/callback",
    "class 1 empty port": "https://network.example:/callback",
    "class 1 port zero": "https://network.example:0/callback",
    "class 1 port too high": "https://network.example:65536/callback",
    "class 1 port in words": "https://network.example:https/callback",
    "class 1 IPv4 address": "https://192.0.2.1/callback",
    "class 1 IPv4 as one number": "https://2130706433/callback",
    "class 1 IPv4 in hexadecimal": "https://0x7f000001/callback",
    "class 1 IPv4 shortened": "http://127.1/callback",
    "class 1 CVE-2022-36087 IPv6 address": "https://[2001:db8::1]/callback",
    "class 1 CVE-2022-36087 IPv6 without an end": "https://[" + ":" * 1900 + "/callback",
    "class 1 IPv6 zone": "http://[::1%25eth0]/callback",
    "class 1 IPv4 mapped into IPv6": "http://[::ffff:127.0.0.1]/callback",
    "class 1 markup": "https://network.example/<script>",
    "class 1 quotation mark": 'https://network.example/"onload=',
    "class 25 too long": "https://network.example/" + "a" * 2000,
}


@pytest.mark.parametrize("uri", [pytest.param(uri, id=attack) for attack, uri in HOSTILE.items()])
def test_a_hostile_redirect_uri_is_neither_registered_nor_matched(uri: str) -> None:
    with pytest.raises(RedirectURIError) as refusal:
        check_redirect_uri_syntax(uri)
    assert str(refusal.value)
    with pytest.raises(UntrustedRequestError):
        match_redirect_uri(uri, (CALLBACK, "http://127.0.0.1/callback", "https://network.example/"))


@pytest.mark.parametrize(
    ("sent", "registered"),
    [
        pytest.param(CALLBACK, (CALLBACK,), id="RFC 9700 §2.1 the same string"),
        pytest.param(CALLBACK, ("https://a.example/", CALLBACK), id="RFC 9700 §2.1 one of several"),
        pytest.param(f"{CALLBACK}?a=1", (f"{CALLBACK}?a=1",), id="AUTHZ-10 exact registered query"),
        pytest.param(
            "http://127.0.0.1:51004/cb", ("http://127.0.0.1/cb",), id="RFC 8252 §7.3 any port, IPv4"
        ),
        pytest.param("http://[::1]:51004/cb", ("http://[::1]:80/cb",), id="RFC 8252 §7.3 any port, IPv6"),
        pytest.param("http://127.0.0.1/cb", ("http://127.0.0.1:80/cb",), id="RFC 8252 §7.3 no port"),
    ],
)
def test_a_registered_redirect_uri_is_matched(sent: str, registered: tuple[str, ...]) -> None:
    assert match_redirect_uri(sent, registered) == sent


@pytest.mark.parametrize(
    ("sent", "registered"),
    [
        pytest.param(None, (CALLBACK,), id="OIDC Core §3.1.2.1 required, even when only one is registered"),
        pytest.param(None, (CALLBACK, f"{CALLBACK}/2"), id="AUTHZ-09 omitted while several are registered"),
        pytest.param(None, (), id="nothing sent, nothing registered"),
        pytest.param(CALLBACK, (), id="nothing registered"),
        pytest.param(f"{CALLBACK}/", (CALLBACK,), id="RFC 9700 §4.1 trailing slash"),
        pytest.param(f"{CALLBACK}?a=1", (CALLBACK,), id="AUTHZ-10 extra query"),
        pytest.param(f"{CALLBACK}?", (CALLBACK,), id="AUTHZ-10 empty query"),
        pytest.param(CALLBACK, (f"{CALLBACK}?a=1",), id="AUTHZ-10 query left out"),
        pytest.param(CALLBACK.upper(), (CALLBACK,), id="RFC 9700 §2.1 upper case"),
        pytest.param(CALLBACK[:-1], (CALLBACK,), id="CVE-2026-41569 prefix"),
        pytest.param("https://networkXexample/callback", (CALLBACK,), id="CVE-2024-52289 dot as wildcard"),
        pytest.param("https://network.example:443/callback", (CALLBACK,), id="RFC 9700 §2.1 default port"),
        pytest.param(
            "http://localhost:51004/cb", ("http://localhost/cb",), id="RFC 8252 §8.3 localhost keeps its port"
        ),
        pytest.param("http://[::1]/cb", ("http://127.0.0.1/cb",), id="RFC 8252 §7.3 another loopback"),
        pytest.param("http://127.0.0.1:1/cb/x", ("http://127.0.0.1/cb",), id="RFC 8252 §7.3 another path"),
        pytest.param("http://127.0.0.1:0/cb", ("http://127.0.0.1/cb",), id="RFC 8252 §7.3 port zero"),
        pytest.param("http://127.0.0.1:99999/cb", ("http://127.0.0.1/cb",), id="RFC 8252 §7.3 no such port"),
        pytest.param(
            "http://127.0.0.1:80@evil.example/cb", ("http://127.0.0.1/cb",), id="CVE-2026-7504 userinfo"
        ),
        pytest.param("http://127.0.0.1:1/cb\n", ("http://127.0.0.1/cb",), id="a line feed behind it"),
        pytest.param("http://127x0x0x1/cb", ("http://127.0.0.1/cb",), id="dots are dots"),
        pytest.param("https://127.0.0.1:1/cb", ("https://127.0.0.1/cb",), id="RFC 8252 §7.3 http alone"),
    ],
)
def test_any_other_redirect_uri_is_untrusted(sent: str | None, registered: tuple[str, ...]) -> None:
    with pytest.raises(UntrustedRequestError):
        match_redirect_uri(sent, registered)


@given(st.text() | st.from_regex(r"(https?|a\.b):/{0,2}[^/]*(/.*)?", fullmatch=True))
def test_any_text_is_refused_with_a_reason_or_matches_itself_alone(uri: str) -> None:
    reason = "accepted"
    try:
        check_redirect_uri_syntax(uri)
    except RedirectURIError as error:
        reason = str(error)
    assert reason
    assert match_redirect_uri(uri, (uri,)) == uri
    with pytest.raises(UntrustedRequestError):
        match_redirect_uri(uri + "x", (uri,))
