"""Every SQL statement of the notifier, one function each, by what it is about.

Lock order, everywhere: assignments (by lead), deliveries, inbox sequences (by site), endpoints (by id). A claim waits
for nobody (SKIP LOCKED throughout), so it may take an endpoint before its deliveries.
"""
