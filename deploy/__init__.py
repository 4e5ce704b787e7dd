"""Running Waypost: the embedded stack (`local`), its supervisor, the demo, and what containers and clusters need."""
