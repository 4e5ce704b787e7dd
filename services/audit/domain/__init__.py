"""What audit knows without touching anything: chains, labels, rules, the count equation, comparisons, a timeline."""
