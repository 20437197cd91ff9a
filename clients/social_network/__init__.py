"""Quán Cóc: a small social network whose linked members may post. A sample for platforms.

    browser ──▶ pages.py    what people see and post          ─┐
            ──▶ linking.py  link, come back, check again       ├─▶ store.py   one SQLite file
            ──▶ signing_out.py  here, there, and from there    │   accounts.py who and what is in it
                   ▼                                           └─▶ web.py     sessions, forms, rendering
           clients.relying_party ──▶ the provider

The network keeps its own sign-in and its own sessions: it speaks to the provider when an account is
linked, when somebody asks to check and when somebody signs out there too, at no other time. An outage
over there locks nobody out here.
"""

from clients.social_network.app import create_app
from clients.social_network.settings import Settings

__all__ = ["Settings", "create_app"]
