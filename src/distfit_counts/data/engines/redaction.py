"""What looks like a secret in an address, a connection string, a query or a driver's message, masked."""

from __future__ import annotations

import re

MASK = "***"
_PASSWORD = r"[\w-]*(?:password|passphrase|passwd|pwd|secret)[\w-]*"
_SECRET = rf"(?:{_PASSWORD}|[\w-]*(?:token|signature|credential|access_?key)[\w-]*|\bsig)"
# A sort_key is no secret, an AccountKey is: its value is masked where it is text, or where all of this is within text.
_MAYBE_SECRET = rf"(?:{_SECRET}|[\w-]*key)"
_SIGN = r"\s*(?:=>|:=|=|:)\s*"
_QUOTED = r"(?:''[^']*''|'(?:[^']|'')*'|\\?\"[^\"]*\")"
_VALUE = rf"(?:{_QUOTED}|[^\s,;&'\")]+)"
_IN_URL = re.compile(r"(:/{1,2}[^\s/:@'\"]*:)[^\s'\"]*@")
# What begins with a quote, to its end or to the end of all; PostgreSQL's $$text$$ too.
_TEXT = re.compile(r"'(?:[^']|'')*(?:'|$)|\"[^\"]*(?:\"|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)
_IN_TEXT = re.compile(rf"({_MAYBE_SECRET}(?:\"|'{{1,2}})?{_SIGN})(?:{_QUOTED}|[^\s'\"]+)", re.IGNORECASE)
_ANYWHERE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Unquoted: password=..., in a connection string. Not WHERE token_count = 3, nor a.token_id = b.token_id.
        rf"({_SECRET}{_SIGN})(?!(?<=\s=\s)(?:\d+|\w+\.\w+)(?![\w.-])){_VALUE}",
        # JSON and structs: "api_key": "...". Not "a"."key" = "b"."key", where both are names.
        rf"({_MAYBE_SECRET}\\?[\"']?\s*:\s*){_QUOTED}",
        rf"({_MAYBE_SECRET}[\"']?\s*(?:=>|:=|=)\s*)(?!\"){_QUOTED}",
        # HTTP's "Authorization: Bearer ...".
        r"(authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s'\"]+",
        r"(\bbearer\s+)[\w.~+/=-]{8,}",
        # CREATE SECRET (..., SECRET '...'), ALTER ROLE ... PASSWORD '...'.
        rf"(\b{_PASSWORD}\s+){_QUOTED}",
    )
)


# What an address has behind the ?.
_IN_OPTIONS = re.compile(rf"([?&]{_SECRET}=)[^\s&'\"]*", re.IGNORECASE)


def addresses_redacted(text: str) -> str:
    """``text`` without the secrets of the addresses in it; all else, a column called ``key`` too, is left as it is."""
    return _IN_OPTIONS.sub(rf"\g<1>{MASK}", _IN_URL.sub(rf"\g<1>{MASK}@", text))


def redacted(text: str) -> str:
    """``text`` without ``user:password@`` in addresses and the values of ``password=``, ``"api_key":``, ..."""
    text = _IN_URL.sub(rf"\g<1>{MASK}@", text)
    for pattern in _ANYWHERE:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return _TEXT.sub(lambda found: _IN_TEXT.sub(rf"\g<1>{MASK}", found[0]), text)
