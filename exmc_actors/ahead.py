"""Load what a result needs while its program is compiled, unless the call is interrupted by then."""

import threading
from dataclasses import replace

from exmc_actors.diagnostics import load_libraries
from exmc_actors.garbage import collected_later
from exmc_actors.runtime import Parts


class Ahead:
    """What one blocking call loads, in another thread: in a fresh process that takes longer than sampling."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._loading = threading.Lock()
        self._is_over = False

    def put_into(self, parts: Parts) -> Parts:
        """Return the parts of a run that loads it."""
        return replace(parts, meanwhile=self.load)

    def load(self) -> None:
        """Import what the result imports first, which fails there by its name if it fails here."""
        with self._loading, collected_later():
            if self._is_over:
                return
            try:
                load_libraries()
            except Exception:  # noqa: BLE001 - it is tried again where it is needed
                return

    def end(self) -> None:
        """Load nothing any more; wait for what is being loaded.

        An import that goes on while the interpreter ends by Ctrl-C makes it forget that, and exit with 1.
        """
        with self._loading:
            self._is_over = True
