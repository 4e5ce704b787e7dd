"""Places that the bundled lists cannot settle, asked of a map service: `port` says what is asked and answered.

Importing this package loads no HTTP client: what decides about answers is pure.
"""
