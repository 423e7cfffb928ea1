"""`python -m tertulia` is the same as the command `tertulia`."""

import sys

from tertulia.cli import main

sys.exit(main())
