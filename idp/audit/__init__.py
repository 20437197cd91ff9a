"""Evidence: what an event may say, and the chain that shows when the past was changed. Pure.

| module | what it rules |
|---|---|
| events | the vocabulary of the log: ids and short codes, no attribute of a person |
| activity | what in the log concerns a person, by kind |
| chain | sealing events into a hash chain, and verifying it from the table alone |
| merkle | the Merkle tree over the log: hashing, and checking proofs (RFC 9162) |
| figures | what is told to the public about a month |
| tiles | the tree as it is kept and published, and making proofs |
| checkpoints | what the provider signs about its log |
| retention | how long history is kept, and what may be purged |
| tree_verification | deriving the tree anew, beside what is kept and what was signed |
"""
