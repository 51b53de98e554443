"""Measurements, each run by hand: ``python -m benchmarks.store``."""
