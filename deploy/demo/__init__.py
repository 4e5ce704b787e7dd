"""The demo: a network of 17 cities, leads as their senders really send them, a small store, and a table to watch."""
