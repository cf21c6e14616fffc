"""A regression for people: a table for every predictor, then how well it fits and how it was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding

from distfit_counts.families.spec import parse
from distfit_counts.inference.verdicts.p_values import p_text
from distfit_counts.regression.formula import with_own
from distfit_counts.regression.result import Coefficient, FittedPredictor, Regression
from distfit_counts.report.agreement import agreement_parts
from distfit_counts.report.narrow import whole
from distfit_counts.report.numbers import count, fixed, number
from distfit_counts.report.screen import Data, Line, plain_text
from distfit_counts.report.tables import plain_table
from distfit_counts.report.terminal import verdict_line
from distfit_counts.result import HypothesisTest, Restart
from distfit_counts.settings import NATURAL

_ERRORS = {
    "model": "",
    "hc0": "robust (HC0) standard errors",
    "hc1": "robust (HC1) standard errors",
    "cluster": "standard errors clustered by ",
}
# Their factor; the default goes without saying.
_FACTORS = {
    None: "",
    "full": "",
    "clusters": ", variances times G/(G - 1)",
    "none": ", variances without a factor for small samples",
}


def print_regression(console: Console, fit: Regression, verbose: bool = False) -> None:
    """The whole report; ``verbose`` adds all restarts."""
    console.print(_report(fit, console.width, verbose), crop=False)


def to_text(fit: Regression, width: int = 100) -> str:
    """The report as plain text."""
    return plain_text(lambda console: print_regression(console, fit), width)


def _report(fit: Regression, width: int, verbose: bool) -> RenderableType:
    parts: list[RenderableType] = [_title(fit), *(verdict_line(verdict) for verdict in fit.verdicts), Line()]
    for own in fit.predictors:
        parts += [_heading(own, fit), Line() if own.natural else _coefficients(own, fit)]
        # Those of single columns alone are the z of the table above.
        if any(test.wald.df > 1 or test.likelihood_ratio for test in own.tests):
            parts.append(_tests(own))
    parts.append(Padding(_likelihood(fit), (0, 0, 0, 1)))
    if fit.agreement is not None:
        formula = None if fit.agreement.moments is None else parse(fit.reduced).variance_formula()
        parts += agreement_parts(fit.agreement, formula, width)
    if len(fit.restarts) > 1 or verbose:
        parts.append(_restarts(fit, verbose))
    return Group(*map(whole, parts))


def _title(fit: Regression) -> Line:
    source = "stdin" if fit.source == "-" else fit.source
    missing = f", {count(fit.n_missing)} left out for missing values" if fit.n_missing else ""
    weighted = f" of weight {fit.n:,.10g}" if fit.weights is not None else ""
    rows = f"{count(fit.n_rows)} row{'s' * (fit.n_rows != 1)}{weighted}{missing}"
    formula = with_own(fit.formula, {own.head: (own.role, own.terms.text) for own in fit.predictors})
    return Line((fit.family, "bold cyan"), " regression of ", Data(f"{formula}, {source}"), f": {rows}")


def _heading(own: FittedPredictor, fit: Regression) -> Line:
    meanings = _meanings(fit)
    meaning = Data(f" ({meanings[own.head]})") if own.head in meanings else ""
    if own.natural is not None:
        value, error, lower, upper = own.natural
        level = f"{100 * fit.level:g} %"
        text = f" {number(value)} ± {number(error)}, {level} interval {number(lower)} … {number(upper)}"
        return Line((Data(own.head), "bold"), text, (meaning, "dim"))
    return Line((Data(own.head), "bold"), (meaning, "dim"), (f", {own.link} link", "dim"))


def _meanings(fit: Regression) -> dict[str, str]:
    if fit.family == "bernoulli" and fit.levels is not None:
        return {"probability": f"P({fit.response} = {fit.levels[1]})"}
    if fit.levels is not None:
        return {level: f"against {fit.levels[0]}" for level in fit.levels[1:]}
    if fit.family in NATURAL:
        return {}
    return {name: p.meaning for p in parse(fit.reduced).parameters for name in p.names}


def _coefficients(own: FittedPredictor, fit: Regression) -> RenderableType:
    interval = f"{100 * fit.level:g} % interval"
    ratio = own.ratio and f"{own.ratio} ({100 * fit.level:g} %)"
    columns = {
        "term": [Data(own.label(c.name)) for c in own.coefficients],
        "estimate": [_estimate(c) for c in own.coefficients],
        "std. error": [number(c.std_error) for c in own.coefficients],
        "z": [fixed(c.z, 2) for c in own.coefficients],
        "p-value": [p_text(c.p_value) for c in own.coefficients],
        interval: [_interval(c.lower, c.upper) for c in own.coefficients],
        ratio: [_ratio(c) for c in own.coefficients],
    }
    if not ratio:
        del columns[ratio]

    table = plain_table()
    for name in columns:
        table.add_column(name, justify="left" if name == "term" else "right", no_wrap=name != "term", overflow="fold")
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _estimate(c: Coefficient) -> str:
    return c.note if c.note == "aliased" else number(c.estimate)


def _interval(lower: float, upper: float) -> str:
    return f"{number(lower)} … {number(upper)}" if lower == lower else "–"


def _ratio(c: Coefficient) -> str:
    value, lower, upper = c.ratio
    if c.name == "Intercept" or not math.isfinite(c.std_error):
        return ""
    return f"{number(value, 4)} ({number(lower, 4)} … {number(upper, 4)})"


def _tests(own: FittedPredictor) -> RenderableType:
    ratios = any(test.likelihood_ratio for test in own.tests)
    table = plain_table()
    table.add_column("term", style="bold")
    for name in ("Wald χ²", "df", "p-value", *(["LR", "df", "p-value"] if ratios else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for test in own.tests:
        row = [*_cells(test.wald), *(_cells(test.likelihood_ratio) if ratios else [])]
        table.add_row(Data(own.label(test.term)), *row)
    heading = Line((Data(own.head), "bold"), ", terms as a whole")
    notes = [Padding(Line(Data(said), style="dim"), (0, 0, 1, 1)) for said in dict.fromkeys(_remarks(own))]
    return Group(heading, whole(table), *notes)


def _remarks(own: FittedPredictor) -> Iterator[str]:
    """Why a test has no statistic, or fewer degrees of freedom than coefficients."""
    for test in own.tests:
        if math.isnan(test.wald.statistic):
            yield f"–: {test.wald.null}"
        elif test.wald.null != "chi-square":
            yield f"{own.label(test.term)}: {test.wald.null}"


def _cells(test: HypothesisTest | None) -> list[str]:
    return ["–"] * 3 if test is None else [number(test.statistic, 4), _df(test.df), p_text(test.p_value)]


def _df(df: float) -> str:
    return f"{df:.0f}" if df == df else "–"


def _likelihood(fit: Regression) -> RenderableType:
    lines: list[str | Data] = [
        f"log-likelihood {fixed(fit.log_likelihood, 4)} on {fit.n_parameters} parameters; without covariates "
        f"{fixed(fit.null_log_likelihood, 4)}",
        f"AIC {fixed(fit.aic, 2)}  BIC {fixed(fit.bic, 2)}",
    ]
    if fit.variance is not None:
        lines.append(f"residual standard deviation {number(fit.variance**0.5)}")
    if fit.errors != "model":
        cluster = fit.cluster or "" if fit.errors == "cluster" else ""
        lines.append(Data(f"{_ERRORS[fit.errors]}{cluster}{_FACTORS[fit.small_sample]}"))
    for option, name in (("exposure", fit.exposure), ("offset", fit.offset), ("weights", fit.weights)):
        if name is not None:
            lines.append(Data(f"{option}: {name}"))
    return Group(*map(Line, lines))


def _restarts(fit: Regression, verbose: bool) -> RenderableType:
    own = [restart for restart in fit.restarts if restart.asked]
    simpler = [restart for restart in fit.restarts if not restart.asked]
    runs = [restart.origin for restart in own if restart.origin.startswith("best of ")]
    how = [_reached(own, "restart", f" ({runs[0]} each)" if runs else "")] + (
        [_reached(simpler, "start", " from simpler families")] if simpler else []
    )
    title = Line(f"{' and '.join(how)} reached the best optimum (newton, seed {fit.seed})", style="bold")
    table = plain_table()
    for name in ("#", "NLL", "|gradient|", "steps", "optimum"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("status", no_wrap=True)
    shown = fit.restarts if verbose else fit.restarts[:3]
    for r in shown:
        table.add_row(
            str(r.restart), fixed(r.nll, 4), f"{r.gradient_norm:.0e}", str(r.steps), str(r.basin), r.origin, r.status
        )
    hidden = len(fit.restarts) - len(shown)
    more = (
        [Line(f"  and {count(hidden)} more start{'s' * (hidden != 1)} (-v shows them)", style="dim")] if hidden else []
    )
    return Group(title, whole(table), *more)


def _reached(listed: Sequence[Restart], word: str, origin: str) -> str:
    reached = sum(restart.basin == 1 for restart in listed)
    return f"{reached} of {len(listed)} {word}{'s' * (len(listed) != 1)}{origin}"
