"""``python -m craterkit``: the command line."""

import sys

from craterkit.cli import main

sys.exit(main())
