"""Where ``distfit`` and ``python -m distfit_counts`` begin: Ctrl-C and other signals that end the command have their
answer before the commands are imported.
"""

import os
import sys

from distfit_counts.errors import INTERNAL, INTERRUPTED, internal_error
from distfit_counts.stopping import exit_code, listen


def main() -> None:
    """The entry point of the command line."""
    try:
        listen()
        from distfit_counts import cli

        cli.main()
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr, flush=True)
        os._exit(exit_code())  # a module may be half imported
    except BaseException as error:
        # The commands answer for themselves: this is of what comes before and after them.
        print(internal_error(error), file=sys.stderr, flush=True)
        os._exit(INTERNAL)


if __name__ == "__main__":
    main()
