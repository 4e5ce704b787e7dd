"""The rows of the table, a file for each topic: they measure in turns and say the figures."""
