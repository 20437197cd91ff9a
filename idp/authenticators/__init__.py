"""How a citizen proves presence, and how fast somebody may guess. NIST SP 800-63B.

| module | what it rules |
|---|---|
| password | what may be a password, how it is kept and verified |
| common_passwords | passwords of other people's leaks, as a table of fingerprints |
| favourite_passwords | words, names, runs of keys and dates that are guessed first, by rule |
| vietnamese_typing | how Vietnamese words look when they are typed |
| totp | one-time codes, each good for one use (RFC 6238) |
| browser_names | what a remembered browser is called |
| app_devices | the phone: its key, its PIN |
| phone_approvals | what is approved on it, and how far that withstands a relay |
| recovery_codes | codes on paper: how they look, how they are read |
| passkeys | what a passkey proves when it is added and when it is used (WebAuthn) |
| passkey_models | which authenticators are believed, and what is known of them |
| passkey_options | what a page asks of the browser |
| throttling | attempts counted before they are verified; never a weapon against the holder |
| hashing_pool | where password hashes are made, so that they delay nobody else |

All but `hashing_pool` are pure; it says itself why it is here.
"""
