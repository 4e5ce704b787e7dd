"""What a command shows: sentences, tables that never cut an id, JSON for machines, a bar for people."""
