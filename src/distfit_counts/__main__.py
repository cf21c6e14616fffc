"""Where ``distfit`` and ``python -m distfit_counts`` begin: Ctrl-C has its answer before the commands are imported."""

import os
import sys

from distfit_counts.errors import INTERNAL, INTERRUPTED, internal_error


def main() -> None:
    """The entry point of the command line."""
    try:
        from distfit_counts import cli

        cli.main()
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr, flush=True)
        os._exit(130)  # a module may be half imported
    except BaseException as error:
        # The commands answer for themselves: this is of what comes before and after them.
        print(internal_error(error), file=sys.stderr, flush=True)
        os._exit(INTERNAL)


if __name__ == "__main__":
    main()
