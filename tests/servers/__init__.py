"""Servers that tests start: real ones, on loopback ports, one for all workers of a run."""
