"""Travel times by road, asked of an engine before a batch is decided: an input of decisions, never a part of them.

Nothing here runs inside a transaction, and whatever an engine does or fails to do, leads are decided: by distance then,
with the reason in the record.
"""
