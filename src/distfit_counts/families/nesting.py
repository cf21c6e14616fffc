"""Which family contains which: what decides how two fits may be compared."""

from __future__ import annotations

from functools import cache

from distfit_counts.families.family import Family


@cache
def contained(family: Family) -> frozenset[Family]:
    """``family`` and all families that it becomes at a boundary or contains inside, under their plain names."""
    found = {family.plain()}
    for simpler in [limit.family for limit in family.limits()] + [case.family for case in family.special_cases()]:
        found |= contained(simpler)
    return frozenset(found)


def strictly_non_nested(first: Family, second: Family) -> bool:
    """Whether the two have no distribution in common, but for those without parameters (Vuong 1989)."""
    return not any(family.parameters for family in contained(first) & contained(second))
