"""Contracts and thin infrastructure that two or more services use today; nothing that belongs to one of them."""
