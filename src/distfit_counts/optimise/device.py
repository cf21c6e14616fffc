"""Where a fit is computed."""

from __future__ import annotations

import torch

from distfit_counts.errors import DistfitError


def chosen(device: str) -> str:
    """``cpu`` or ``cuda`` for cpu, cuda or auto. Raises DistfitError where cuda is asked for and there is none.

    Only CUDA: likelihoods need float64, which Apple's devices do not have.
    """
    available = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if available else "cpu"
    if device == "cuda" and not available:
        built = "no CUDA device is found" if torch.version.cuda else "this build of torch is for the CPU only"
        raise DistfitError(f"--device cuda: {built}", "leave it out, or install a build of torch for CUDA")
    return device
