"""What a certificate settles, and need not be said any more."""

from __future__ import annotations

from collections.abc import Sequence

# Doubts whether the optimum is the best. That another one is nearly as likely stays true of a certified one.
_DOUBTS = ("restarts.rarely_best", "restarts.reached_once", "restarts.disagree")


def settled(codes: Sequence[str]) -> list[str]:
    """``codes`` of verdicts without doubts about restarts where the optimum is proven to be the global one."""
    if "optimum.certified" not in codes:
        return list(codes)
    return [code for code in codes if code not in _DOUBTS]
