"""The services of Waypost, one package each, with the same file names in every room."""
