"""The command ``distfit``: registers the commands; the only map from errors to exit codes.

0 done; 1 ran, but at least one fit did not converge; 2 bad usage or bad input; 3 a check that was asked to fail
failed; 70 an error of ours; 130 interrupted, 143 by SIGTERM.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from distfit_counts import __version__
from distfit_counts.commands.check import check
from distfit_counts.commands.compare import compare
from distfit_counts.commands.families import families
from distfit_counts.commands.fit import fit
from distfit_counts.commands.histogram import histogram
from distfit_counts.commands.idle import OnceCommand
from distfit_counts.commands.messages import say
from distfit_counts.commands.plot import plot
from distfit_counts.commands.predict import predict
from distfit_counts.commands.regress import regress
from distfit_counts.commands.sample import sample
from distfit_counts.commands.show import show
from distfit_counts.errors import (
    INTERNAL,
    INTERRUPTED,
    DistfitError,
    Interrupted,
    internal_error,
    is_out_of_memory,
)
from distfit_counts.stopping import exit_code

# What a wrong option raises. Typer has it from click, and names only its children.
_UsageError: Any = typer.BadParameter.__base__


@contextmanager
def _flushed() -> Iterator[None]:
    """What was printed is out, however it ends: fits that did not converge are printed too, and then the exit is 1."""
    try:
        yield
    finally:
        sys.stdout.flush()


@contextmanager
def _answered() -> Iterator[None]:
    """Turns what the core raises into a message on stderr and an exit code.

    Nothing is left for click, which has exit code 1 for some of it: that is for fits that did not converge.
    """
    try:
        with _flushed():
            yield
    except (typer.Exit, SystemExit, _UsageError):
        raise
    except DistfitError as error:
        _print_error(error)
        raise typer.Exit(2) from None
    except BrokenPipeError:
        raise _seen_enough() from None
    except KeyboardInterrupt as stop:
        raise _interrupted(stop) from None
    except BaseException as error:
        raise _failed(error) from None


class _Commands(TyperGroup):
    """Answers for what is wrong with the options and for what the commands raise."""

    def make_context(self, info_name: str | None, args: list[str], *given: Any, **named: Any) -> Any:
        bare = not args
        # Here --help and --version are printed.
        try:
            with _answered():
                return super().make_context(info_name, args, *given, **named)
        except _UsageError as error:
            if bare:  # its text is the help
                raise
            raise _misused(error) from None

    def invoke(self, ctx: Any) -> Any:
        try:
            with _answered():
                return super().invoke(ctx)
        except _UsageError as error:
            raise _misused(error) from None


app = typer.Typer(
    cls=_Commands,
    name="distfit",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich's help takes longer to load than the rest of the command
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which count distribution is it, with which parameters, how sure are we, and where does the model fail?",
)
for command in (fit, compare, regress, predict, check, plot, sample, histogram, show, families):
    app.command(cls=OnceCommand)(command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"distfit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """The command line; ``__main__.main`` begins earlier."""
    code: Any = 0
    # A shell may close them (>&-); what is written then goes nowhere.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    try:
        app()
    except SystemExit as stop:
        code = stop.code
    sys.stderr.flush()
    # Everything is written. Taking torch down again costs a third of a second, and after a bad input it may still
    # be half imported in its thread.
    os._exit(code if isinstance(code, int) else int(code is not None))


def _misused(error: Any) -> typer.Exit:
    """Says what is wrong with the options, as all other errors are said."""
    said = error.format_message().rstrip(".")
    hint = f"{error.ctx.command_path} --help lists the options" if error.ctx is not None else ""
    _print_error(DistfitError(f"{said[:1].lower()}{said[1:]}", hint))
    return typer.Exit(2)


def _failed(error: BaseException) -> typer.Exit:
    """What the machine has no room for is said as what it is; the rest is an error of ours."""
    if is_out_of_memory(error) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        _print_error(DistfitError("the memory is used up", "fit fewer columns, groups or restarts at a time"))
        return typer.Exit(2)
    if isinstance(error, OSError):  # a full disk under stdout, and the like
        _print_error(DistfitError(f"{error.strerror or error}", "check the disk and the output"))
        return typer.Exit(2)
    print(internal_error(error), file=sys.stderr)
    return typer.Exit(INTERNAL)


def _seen_enough() -> typer.Exit:
    """The reader has left (head, a pager): no error. What is still buffered goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return typer.Exit(0)


def _interrupted(stop: KeyboardInterrupt) -> typer.Exit:
    if isinstance(stop, Interrupted):
        _print_error(stop)
    else:
        print(INTERRUPTED, file=sys.stderr)
    return typer.Exit(exit_code())


def _print_error(error: DistfitError | Interrupted) -> None:
    from distfit_counts.data.engines.redaction import addresses_redacted

    # An address may have been given in place of anything: of a file, of an option.
    say(addresses_redacted(error.problem), addresses_redacted(error.hint))
