"""Where ``distfit`` and ``python -m distfit_counts`` begin: Ctrl-C has its answer before the commands are imported."""

import os
import sys

from distfit_counts.errors import INTERRUPTED


def main() -> None:
    """The entry point of the command line."""
    try:
        from distfit_counts import cli

        cli.main()
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr, flush=True)
        os._exit(130)  # a module may be half imported


if __name__ == "__main__":
    main()
