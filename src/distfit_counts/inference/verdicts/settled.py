"""What a certificate settles, and need not be said any more."""

from __future__ import annotations

from distfit_counts.result import Verdict

# Doubts whether the optimum is the best. That another one is nearly as likely stays true of a certified one.
_DOUBTS = ("restarts.rarely_best", "restarts.reached_once", "restarts.disagree")


def settled(found: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """``found`` without doubts about restarts where the optimum is proven to be the global one."""
    if not any(verdict.code == "optimum.certified" for verdict in found):
        return found
    return tuple(verdict for verdict in found if verdict.code not in _DOUBTS)
