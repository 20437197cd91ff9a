"""Verifies the provider's public log without its help: `python -m clients.log_verifier https://id.example`.

Written from RFC 9162 §2.1 and knowing nothing of the provider's code, so that a mistake there is not
repeated here. Run it from time to time on a machine of your own with `--known FILE`: the file remembers what
was signed, and whoever rewrites the log has to rewrite your file, too.

| module | what it does |
|---|---|
| __main__ | the command |
| verification | what is verified, in which order |
| tree | hashing, roots and proofs, as the RFC defines them |
| checkpoints | signed states of the log: reading, keys, signatures |
| public_log | asking the provider |
| memory | what is remembered from one time to the next |
| proofs | a proof that a person downloaded about an entry of their own |
"""
