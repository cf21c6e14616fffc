"""Every default, with its unit and its reason."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

from distfit_counts.errors import DistfitError

# Output ---------------------------------------------------------------------------------------------------

# What - means where a file is named for an output.
STDOUT = Path("/dev/stdout")

# Optimisation ---------------------------------------------------------------------------------------------

# Largest |gradient| at which a row counts as converged: of the mean negative log-likelihood per observation, in
# the unconstrained coordinates of the scaled problem (no unit). Newton ends near 1e-12, Adam a little above this.
TOLERANCE = 1e-7

# Log-likelihood units that Newton's quadratic model still promises, over all observations, below which a row is
# done. Scale free, and meaningful where the likelihood is flat and every gradient is small.
GAIN_TOLERANCE = 1e-11

# Newton reaches a maximum in 5 to 30 steps; a first-order method needs hundreds to thousands.
MAX_STEPS = {"newton": 200, "adam": 5_000}

# How many times as many steps the best start of a column may take if it has not arrived by then.
PATIENCE = 9

# Longest Newton step in any unconstrained coordinate; 6 takes a probability from 0.5 to 0.0025.
STEP_BOUND = 6.0

# Adam's learning rate, in the unconstrained coordinates (which are scaled to be of order 1).
LEARNING_RATE = 0.05

# Starts ---------------------------------------------------------------------------------------------------

RESTARTS = 10
SEED = 0

# Standard deviation, in unconstrained coordinates, of the random starts around the moments.
START_SPREAD = 1.0

# Judging --------------------------------------------------------------------------------------------------

# A maximum must beat the simpler family at the boundary by this many log-likelihood units to be called interior:
# well above what float64 can resolve (see boundary_margin), far below what anyone could care about.
BOUNDARY_MARGIN = 1e-8

# Restarts whose log-likelihoods differ by less than this are said to have reached the same optimum.
SAME_OPTIMUM = 1e-5

# Smallest eigenvalue of the information, scaled to a unit diagonal, below which a direction is flat.
FLAT_DIRECTION = 1e-11

# Information (1 / variance, in unconstrained coordinates) below which a parameter is not identified at all: a
# standard deviation of a thousand where everything happens within ten.
FLAT_INFORMATION = 1e-6

# Level of the confidence intervals.
LEVEL = 0.95

# How intervals are made; the first is the default.
INTERVALS = ("wald", "profile", "bootstrap")
BOOTSTRAPS = ("nonparametric", "parametric")

# Bootstrap replicates: with 999 the ends of a 95 % interval are the 25th from either side.
REPLICATES = 999

# What ``distfit compare`` fits unless told.
COMPARED = ("poisson", "geometric", "nb", "zip", "zinb", "hurdle(nb)", "2*poisson", "3*poisson", "2*nb")
# What it fits beside them to counts without a zero, which may not have been recorded.
COMPARED_WITHOUT_ZEROS = ("zt(poisson)", "zt(geometric)", "zt(nb)", "logseries")

# Of these, those with so many parameters are left out where there are fewer observations for each.
OBSERVATIONS_PER_PARAMETER = 10

# BIC differences up to here do not prefer one model (Raftery 1995: "not worth more than a bare mention").
TIE = 2.0

# Factors of a robust covariance; the first is the default.
SMALL_SAMPLE = ("full", "clusters", "none")

# What a regression's response can follow beside the count families.
NATURAL = ("gaussian", "bernoulli", "categorical")

# Work -----------------------------------------------------------------------------------------------------

# Rows times distinct values that are evaluated together. 2**16 float64 are half a MiB a tensor: the tensors of one
# evaluation stay near the processor. Measured for a 2*nb, nanoseconds an element: 2**12 1334, 2**14 773, 2**16 475,
# 2**18 455.
PIECE_ELEMENTS = 2**16

# The same on a graphics processor, where a few large kernels are as fast as it gets: 128 MiB a tensor.
DEVICE_PIECE_ELEMENTS = 2**24

# Where a fit is computed; auto takes a CUDA device if there is one.
DEVICES = ("cpu", "cuda", "auto")

# Rows times distinct values that are minimised together: so many that the last rows to converge still fill a piece.
CHUNK_ELEMENTS = 2**19
DEVICE_CHUNK_ELEMENTS = 2**26

# Bytes that a chunk takes for each of its elements: counts, weights and shares, and what its rows remember.
BYTES_PER_ELEMENT = 64

# Bytes that are planned for unless told.
MEMORY = 2**30

# Replicates times distinct values that are refitted together: 999 replicates of a few hundred values at once.
REPLICATE_ELEMENTS = 2**20

# How many times as wide as its narrowest column a chunk may be: less than half of it is then padding, and its pieces
# are cut to their own widest.
WIDEST = 2.0

# The same of what judges, which is padded as a whole.
PADDING = 1.25

# Seconds of work after which progress is shown.
PROGRESS_AFTER = 1.0


def processors() -> int:
    """Threads unless told: the processors that this process may use, which a job or a container may bound."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fewest_replicates(level: float) -> int:
    """Replicates that a percentile interval needs: its ends are the order statistics (B + 1)(1 -+ level)/2 >= 1."""
    return math.ceil(2.0 / (1.0 - level) - 1.0 - 1e-9)


@dataclass(frozen=True)
class FitSettings:
    """How to fit: what ``distfit fit`` takes as options."""

    restarts: int = RESTARTS
    seed: int = SEED
    optimizer: str = "newton"
    max_steps: int | None = None
    tolerance: float = TOLERANCE
    learning_rate: float = LEARNING_RATE
    level: float = LEVEL
    trace: bool = False
    ci: str = "wald"
    replicates: int = REPLICATES
    bootstrap: str = "nonparametric"
    gof_replicates: int = 0
    device: str = "cpu"
    threads: int | None = None
    memory: int = MEMORY

    @property
    def simulates(self) -> bool:
        """Whether a fit is judged by replicates, which take longer than the fit itself."""
        return self.ci == "bootstrap" or self.gof_replicates > 0

    def __post_init__(self) -> None:
        """Raises DistfitError for a value out of range."""
        if self.optimizer not in MAX_STEPS:
            raise DistfitError(f"unknown optimizer {self.optimizer!r}", f"known: {', '.join(MAX_STEPS)}")
        if self.ci not in INTERVALS:
            raise DistfitError(f"unknown interval {self.ci!r}", f"known: {', '.join(INTERVALS)}")
        if self.bootstrap not in BOOTSTRAPS:
            raise DistfitError(f"unknown bootstrap {self.bootstrap!r}", f"known: {', '.join(BOOTSTRAPS)}")
        if self.device not in DEVICES:
            raise DistfitError(f"unknown device {self.device!r}", f"known: {', '.join(DEVICES)}")
        for name, valid, remedy in (
            ("restarts", isinstance(self.restarts, int) and self.restarts >= 1, "at least one start is needed"),
            ("seed", isinstance(self.seed, int) and self.seed >= 0, "a seed is a whole number from 0 on"),
            ("max_steps", self.max_steps is None or self.max_steps >= 1, "at least one step is needed"),
            ("tolerance", self.tolerance > 0.0, "a gradient is never exactly zero; 1e-7 is the default"),
            ("learning_rate", self.learning_rate > 0.0, "it must be positive; 0.05 is the default"),
            ("replicates", self.replicates >= 19, "19 are the fewest that give a 90 % interval; 999 is the default"),
            ("gof_replicates", self.gof_replicates == 0 or self.gof_replicates >= 19, "0 for none, or 19 and more"),
            ("threads", self.threads is None or self.threads >= 1, "at least one thread is needed"),
            ("memory", isinstance(self.memory, int) and self.memory >= 10**6, "bytes; a megabyte is the least"),
            ("level", 0.0 < self.level < 1.0, "a level lies between 0 and 1: for 95 % give 0.95"),
        ):
            if not valid:
                raise DistfitError(f"{name} = {getattr(self, name)} is out of range", remedy)
        fewest = fewest_replicates(self.level)
        if self.ci == "bootstrap" and self.replicates < fewest:
            problem = f"{self.replicates} replicates are too few for an interval of level {self.level:g}"
            raise DistfitError(problem, f"{fewest} are the fewest: its ends are order statistics")
