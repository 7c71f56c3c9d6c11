"""How long craterkit takes and what memory it needs, beside other packages; ``python -m benchmarks``."""
