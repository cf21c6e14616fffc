"""All verdicts of a fit, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from distfit_counts.inference.chunk import Bools, Chunk
from distfit_counts.inference.verdicts import boundary, components, convergence, cumulative, misfit, replicates, sample
from distfit_counts.inference.verdicts.facts import Facts
from distfit_counts.inference.verdicts.rule import Rule
from distfit_counts.inference.verdicts.settled import settled
from distfit_counts.result import Verdict

RULES = (
    sample.FREQUENCY_TABLE,
    boundary.BOUNDARIES,
    misfit.UNDERDISPERSED,
    boundary.NOT_IDENTIFIED,
    replicates.NO_SPREAD,
    replicates.UNDEFINED,
    convergence.NOT_CONVERGED,
    convergence.RARELY_BEST,
    convergence.REACHED_ONCE,
    convergence.DISAGREE,
    convergence.NEARLY_EQUAL,
    misfit.OVERALL,
    cumulative.DRIFT,
    misfit.ZEROS,
    misfit.TAIL,
    components.EMPTY,
    components.DUPLICATE,
    boundary.SIMPLER_SUFFICES,
    sample.TOO_SMALL,
    sample.SMALL,
    components.CERTIFICATE,
)


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What a reader must know before using the numbers of the columns of ``chunk``."""

    chunk: Chunk

    @cached_property
    def _which(self) -> list[tuple[Rule, Bools]]:
        return [(rule, rule.which(self.chunk)) for rule in RULES]

    def of(self, facts: Facts) -> tuple[Verdict, ...]:
        """The verdicts of one column."""
        drawn = (verdict for rule, which in self._which if which[facts.at] for verdict in rule.say(facts))
        found = tuple(dict.fromkeys(drawn))
        kept = settled([verdict.code for verdict in found])
        return tuple(verdict for verdict in found if verdict.code in kept)

    def codes(self) -> list[tuple[str, ...]]:
        """The codes of every column's verdicts; sentences are only made where they are needed to know."""
        facts: dict[int, Facts] = {}
        found: list[dict[Verdict | str, str]] = [{} for _ in self.chunk.rows]
        for rule, which in self._which:
            columns = which.nonzero()[0].tolist()
            if isinstance(rule.code, str):
                for at in columns:
                    found[at][rule.code] = rule.code
                continue
            known = [facts.setdefault(at, Facts(self.chunk, at)) for at in columns]
            if rule.code is None:
                for at, own in zip(columns, known, strict=True):
                    found[at] |= {verdict: verdict.code for verdict in rule.say(own)}
            else:
                for at, code in zip(columns, rule.code(known), strict=True):
                    found[at] |= {} if code is None else {code: code}
        return [tuple(settled(list(codes.values()))) for codes in found]
