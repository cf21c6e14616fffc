"""Which family contains which: what decides how two fits may be compared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from distfit_counts.families.family import Family, Role
from distfit_counts.families.hurdle import Hurdle
from distfit_counts.families.truncated import Truncated
from distfit_counts.families.zero_inflated import ZeroInflated


@cache
def contained(family: Family) -> frozenset[Family]:
    """``family`` and all families that it becomes at a boundary or contains inside, under their plain names."""
    found = {family.plain()}
    for simpler in [limit.family for limit in family.limits()] + [case.family for case in family.special_cases()]:
        found |= contained(simpler)
    return frozenset(found)


def built_of(family: Family) -> Iterator[Family]:
    """``family`` and all families that it wraps or mixes."""
    yield family
    inner = [family.base] if isinstance(family, Hurdle | Truncated | ZeroInflated) else family.mixes
    for own in inner:
        if own is not family:
            yield from built_of(own)


def names_of(family: Family, role: Role) -> list[str]:
    """The parameters that have this role, by name."""
    return [name for parameter in family.parameters if parameter.role is role for name in parameter.names]


def strictly_non_nested(first: Family, second: Family) -> bool:
    """Whether the two have no distribution in common, but for those without parameters (Vuong 1989)."""
    return not any(family.parameters for family in contained(first) & contained(second))
