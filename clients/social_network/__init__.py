"""Quán Cóc: a small social network whose linked members may post. A sample for platforms.

    browser ──▶ pages.py    what people see and post          ─┐
            ──▶ linking.py  link, come back, check again       ├─▶ store.py, link_store.py   one SQLite file
            ──▶ signing_out.py  here, there, and from there    │   accounts.py who and what is in it
                   ▼                                           │   features.py who may do what, by the policy
           connection.py ──▶ clients.relying_party ──▶ the     └─▶ web.py     sessions, forms, rendering
                   ▲                               provider
            following.py    events, status lists, the policy: in the background ──▶ link_store.py, features.py

The network keeps its own sign-in and its own sessions. It speaks to the provider about a person when an
account is linked, when somebody asks to check and when somebody signs out there too, at no other time. What
becomes of the links it is told; pages show what is kept, and an outage over there locks nobody out here.
"""

from clients.social_network.app import create_app
from clients.social_network.settings import Settings

__all__ = ["Settings", "create_app"]
