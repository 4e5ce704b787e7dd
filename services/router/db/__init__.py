"""Every SQL statement of the router, one function each; the modules are named for what the statements are about."""
