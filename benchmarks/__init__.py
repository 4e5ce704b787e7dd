"""Waypost beside its peers, in one run on one machine: ratios count, absolute figures guide."""
