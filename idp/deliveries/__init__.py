"""What others are told without having asked in that moment: the outbox, emptied by a process of its own.

Runs beside the server (`python -m idp.deliveries`), as many of them as there are servers. Each delivery is
claimed by one, tried until it is acknowledged or three days have passed, and then parked for an operator.
A receiver that is slow or gone has its own few places and takes none from others.

| module | what it is |
|---|---|
| kinds | every kind of delivery and what makes it: the place to add one |
| worker | finds what is due, claims it and tries it |
| lanes | how many deliveries may be under way to one receiver at once |
| outcomes | records what became of attempts, by the handful |
| world | what making a delivery may use |
| session_ended | finds out who is to be told that a session is over |
| backchannel_logout | Back-Channel Logout 1.0: tells one client |
| ciba_ping | CIBA Core 1.0 §10.2: tells a client that its request was answered |
"""
