"""Work handed out and in: archives in the store, and the index of them in the database."""

from kore.service.exchange.courses import (
    export_course,
    forget_course,
    import_course,
    leaving_course,
)
from kore.service.exchange.index import sweep

__all__ = ["export_course", "forget_course", "import_course", "leaving_course", "sweep"]
