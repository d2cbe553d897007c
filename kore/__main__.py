"""``python -m kore``: the service, as JupyterHub starts it."""

import sys

from kore.serve import main

sys.exit(main())
