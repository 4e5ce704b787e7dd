"""Unmet demand: which leads wait and where, how far the nearest capable site is, and where the next site would help.

Reads the ledger, the network and the policy in effect; writes nothing to any of them. `demand`, `places`, `medians` and
`report` are pure; `commands` is the verb; `tables`, `geojson`, `chart` and `page` show the one report.
"""
