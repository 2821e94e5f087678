"""Addresses as people may see them: a password that stands in one is for the server only. Pure."""

import re

# A password may hold any sign unescaped, also "/", "?" and "@": what comes before the last "@" is not shown.
_LOGIN = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", re.DOTALL)
_WITHIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s'\"]*@")
_WORD = re.compile(r"(\bpassword ?= ?)[^\s'\"]+", re.IGNORECASE)
_SECRET = re.compile(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&#]*", re.IGNORECASE)

ESCAPED = 'and "/", "?", "#", "@" and "%" of a password in it stand as %2F, %3F, %23, %40 and %25'
"""What is wrong with most addresses that cannot be read."""


def masked(url: str) -> str:
    """A URL without its user, its password, and what its query calls a password, secret, token or key."""
    return _SECRET.sub(r"\1***", _LOGIN.sub(r"\1***@", url))


def masked_within(text: str) -> str:
    """A text in which addresses may stand, without their users and passwords."""
    return _WORD.sub(r"\1***", _WITHIN.sub(r"\1***@", text))
