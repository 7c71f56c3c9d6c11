"""Settings that all tests share."""

from hypothesis import settings

# Machines differ in speed: no example is wrong because it took long.
settings.register_profile("craterkit", deadline=None)
settings.load_profile("craterkit")
