"""The pages that citizens see, one file for each question; view models, words and rendering beside them.

| module | question, or part |
|---|---|
| sign_in | Who are you? |
| enrolment | How does one get an account? |
| upstream_sign_in | Sign in at another identity provider? Away to it, and back |
| upstream_views | what its page shows |
| second_factor | Is it really you? |
| activate | Which code were you given? |
| set_up | How do you want to sign in? With that code |
| set_up_passkey | the same, by a passkey |
| recovery | Cannot sign in? Which way is left; a recovery code |
| stop_recovery | Was it not me? From a message |
| my_recovery | the same, signed in; and opening one |
| activation_views | what these pages show |
| second_password | the same, answered with the password |
| phone_sign_in | Scan this with your phone: the page that asks |
| phone_app | The app on the phone: door and worker |
| phone_requests | Is it me who asks? On the phone: number, PIN, signature |
| phone_here | Sign in on the phone itself |
| phone_enrolment | Set this phone up |
| my_phones | Which phones approve for me? |
| phone_views | what all these show |
| account_choice | Go on as this person? |
| consent | Link this account? And: why not |
| approvals | Is it me who asks for this? Requests from other devices |
| guardian_needed | A minor's link: ask your guardian |
| children | For whom do I speak, and what do they ask? |
| children_links | What is linked with my child? End it |
| own_consent | At 16: does this link stay? |
| device | Which device? The code that it shows |
| my_start | What needs me now, and where is everything else? |
| attention | what needs a person now, read from every corner |
| start_views | the view models of both |
| my_accounts | Whom do I trust? What happened? End it |
| disputes | an account that another person has linked is claimed here |
| my_consents | What did I agree to, and what did I refuse? |
| consent_views | the view models of that |
| my_correction | What does the register say about me that is wrong? |
| correction_views | the view models of that |
| my_cases | what I or others brought forward, and a holder's answer |
| case_views | the view models of both |
| my_networks | Where did I sign in without linking an account? End it |
| my_sessions | Where am I signed in? End it |
| my_security | How do I sign in, and what is missing? |
| my_authenticator_app | An app that shows codes: set up, confirmed, removed |
| my_recovery_codes | Codes on paper: made, shown once, void |
| my_password | Which password from now on? |
| my_browsers | Which browsers are remembered? |
| my_upstreams | At which other providers do I sign in? End one |
| my_notices | What was I told? |
| my_notice_ways | How do I want to be told? |
| not_me | Was it not me? From a message, or from the link's own page |
| freeze | May new accounts be linked with me? |
| my_activity | What was done with my data? And: the proof of it |
| my_export | What is in the file that I can take along? |
| activity_export | all of it, as that file |
| activity_views | what these pages show |
| export_views | what the file shows |
| export_words | the words of the file |
| sign_out | Sign out here? And: it is done |
| event_pages | what our own security events mean, at the addresses that name them |
| event_views | the view model of that page |
| design | What is there to build pages of? For whoever makes one, not in production |
| explanations | what an `acr` value means |
| login_initiation | the way to a network's own sign-in |
| public_marks | Is this account genuine? For anybody, by the mark or by the account's name |
| sandbox | What shall the provider do? For developers, not in production |
| sandbox_views | what it shows |
| my_mark | May mine be found? |
| mark_badge | the mark as a small picture |
| logos | the networks' reviewed logos, from our own address |
| failures | every refusal becomes an answer here, and nowhere else |
| own_pages | who is at the pages of their own |
| visit | why somebody is at the sign-in pages |
| frame | what every page handler shares: language, header, the token of our forms |
| views | what each page shows, exactly |
| guardian_views | the same, of guardians and children |
| notice_views | the same, of notices, of disowning a link and of freezing new ones |
| approval_views | the same, for requests from other devices |
| network_views | the same, of linked accounts and of networks without one |
| sign_in_views | the same, of signing in |
| security_views | the same, of how a person signs in |
| passkey_sign_in | a passkey instead of number and password, or as the second proof |
| my_passkeys | With which passkeys do I sign in? Add, name and remove them |
| passkey_views | the same, of passkeys |
| session_views | the same, of signing out and of sessions |
| mark_views | the same, of public marks |
| words | the words for values |
| lists | what is looked for in a list, where a page of it begins |
| list_views | the view models of both |
| list_words | the words of what narrows a list down |
| start_words | the words of what needs a person now |
| correction_words | the words of requests to the register |
| notice_words | the words of notices, on a page and in a message |
| rendering | a view and a language in, bytes out |
"""
