"""What others are told without having asked in that moment: the outbox, emptied by a process of its own.

Runs beside the server (`python -m idp.deliveries`), as many of them as there are servers. Each delivery is
claimed by one, tried until it is acknowledged or three days have passed, and then parked for an operator.
A receiver that is slow or gone has its own few places and takes none from others.

| module | what it is |
|---|---|
| fan_out | gives changes of links their order, and has recorded what follows from them |
| follow_ups | everything that follows from changes of links: the place to add to it |
| told_changes | changes of links become security events |
| neighbours | how a person's other links stood at a change |
| kinds | every kind of delivery and what makes it: the place to add one |
| worker | finds what is due, claims it and tries it |
| lanes | how many deliveries may be under way to one receiver at once |
| outcomes | records what became of attempts, by the handful |
| world | what making a delivery may use |
| link_notices | changes of links become notices to their holders |
| citizen_notices | tells a person what happened: by which ways, and then by each |
| message_texts | what a message to a person says |
| ways | the ways by which people are told, as the settings set them up |
| session_ended | finds out who is to be told that a session is over |
| backchannel_logout | Back-Channel Logout 1.0: tells one client |
| ciba_ping | CIBA Core 1.0 §10.2: tells a client that its request was answered |
| person_changed | a person's links follow their level; platforms hear of changed credentials |
| event_streams | the event streams of clients, as this process knows them |
| security_events | RFC 8935: pushes one Security Event Token |
"""
