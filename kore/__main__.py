"""``python -m kore``: the service, as JupyterHub starts it, and commands for its host."""

import sys

if sys.argv[1:2] == ["take-over"]:
    from kore.service.exchange.command import main as take_over

    sys.exit(take_over(sys.argv[2:]))

from kore.service.serve import main

sys.exit(main())
