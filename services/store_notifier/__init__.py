"""Tells sites about their assignments, and brings back what they say.

In: leads.decided (who holds a lead now), leads.received (the vehicle, for the texts); signed answers over HTTP and
from the inbox page. Out: signed webhooks and the live inbox; leads.answered, deliveries.attempted.

Promised: each assignment reaches each active endpoint of its site at least once under one `webhook-id`, or the router
is told `undeliverable`; a slow or dead endpoint delays nobody else; an answer that got 202 is published even when
Kafka is down at that moment; the contact is given only to the site that holds the lead.
"""
