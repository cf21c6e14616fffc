"""Benchmarks: every speed and accuracy that the project promises, each as a ratio measured in one run."""
