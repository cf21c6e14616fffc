"""``python -m distfit_counts`` is ``distfit``."""

from distfit_counts.cli import main

if __name__ == "__main__":
    main()
