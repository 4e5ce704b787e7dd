"""The ways in which a site is told: a signed webhook, and the live inbox."""
