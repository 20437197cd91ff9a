"""The subject matter, without a word of OAuth: people, how sure we are of them, and what they linked. Pure.

| module | what it rules |
|---|---|
| account_links | the centre: states, moves, policy and places of an account link (D320 Art. 19) |
| link_changes | what happened to a link, as everybody who follows links learns of it (R9, R12) |
| link_status | what a status list says of a link: one of four values |
| cases | what was brought forward, until it is decided |
| corrections | what the register holds about a person and got wrong, they say: a case (R9, R14) |
| notices | what a person is told about their links, and how they want to be told |
| notice_topics | what a notice is about, as people look for it |
| freezes | freezing new links, and what it takes to lift that |
| feature_policy | which feature needs which assurance, and by when (R2, R3) |
| policy_versions | which version of that holds, and which is announced |
| link_upkeep | what becomes of a link while its state stays |
| disputes | an account that another person has linked: who is asked, until when, what follows |
| mass_actions | many links moved at once: two persons, batches, undo within 72 hours (P9) |
| public_marks | whether anybody may check that an account is genuine (R21) |
| citizens | a person of the register; ages by Viet Nam's calendar (R11, R13, R15) |
| assurance | the two axes that are never mixed: proofing, and the authentication event |
| evidence | what was looked at when an identity was proofed, by kind alone (R6) |
| working_days | until when something is due, by the days on which Viet Nam works |
| withdrawals | by when a platform must have answered a withdrawal |
| consents | what was shown and decided, and when to ask again, for a named reason (R7, R8) |
| guardians | who speaks for a minor, since when and until when (R10) |
| hand_over | at 16: a link becomes the young person's own (R10) |
| guardian_requests | what a minor asks a guardian: decided once, used once (R10) |
| activations | how somebody who cannot sign in comes to ways of signing in: enrolment and recovery (R19) |
| activation_codes | the codes of these: made, written in groups, read as people type them |
| activation_grounds | to whom operators give one, for what, and on what they saw (R6) |
| sessions | how long a session lives; when an authentication is recent enough |
| identifiers | what people type to say who they are |
| display_text | Unicode TR36: the text of others before people's eyes |
| register | one line of the register of citizens, read strictly |
"""
