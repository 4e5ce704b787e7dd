"""What people decide about single leads: the queue of those that wait, and orders."""
