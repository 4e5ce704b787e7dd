"""Changes of what routers decide by: proposed, approved where two people are needed, in effect at their time."""
