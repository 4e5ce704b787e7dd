"""Router: gives every lead to the nearest site that can do the job, and writes down why.

In: leads.received, leads.answered, leads.due, leads.ordered, people.erased; network.changed and policies.published (to
look again).
Out: leads.decided (one per decision, in epoch order of each lead), leads.due (its own timers), leads.ordered,
network.changed and policies.published (what operators ordered and changed with the command).

Promised: one decision per lead and epoch, durable in PostgreSQL before Kafka hears of it, and heard of for certain; at
most one holder per lead; no site above its `open_lead_limit`, with any number of router processes; every decision
can be taken again from what it records. A record that comes twice repeats the same bytes.
"""
