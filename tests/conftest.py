"""Settings that all tests share."""

import signal

import pytest
from hypothesis import settings

# Machines differ in speed: no example is wrong because it took long.
settings.register_profile("craterkit", deadline=None)
settings.load_profile("craterkit")


@pytest.fixture
def usual_ctrl_c():
    """Python's own handler of Ctrl-C: what a script starts in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
