"""The store's live inbox: a page per site where its assignments appear by themselves and are answered.

In: rows of `inbox_items` (written by the handlers of leads.decided), the forms of the people at the counter.
Out: answers through `store_notifier.answers`, reveals through `store_notifier.contacts`; nothing else leaves.
Promised: no contact is in a page until a person asks for that one; a page that was away misses nothing; every form
works without scripts; a log-in sees its own site only.

`main` mounts it: `live = LiveInboxes(settings, pool, log)`, `live.run(stop)` beside the server, and
`*inbox_routes(...)` among the routes.

Behind a proxy: HTTP/2 (every open page keeps a connection, and a browser opens only six HTTP/1.1 ones to a host), no
buffering of `/inbox/*/events`, read time-outs above the 15 s between two signs of life.
"""
