"""Find the cell of a notebook that is being run, and show something in it that can be exchanged later."""

import contextvars
import sys
import uuid
from typing import Any


class Cell:
    """One display in the cell that was being run when this was made."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        # A kernel finds the cell that a display belongs to by the context; other threads have another one.
        self._context = contextvars.copy_context()
        self._display_id = uuid.uuid4().hex
        self._is_shown = False

    def show(self, html: str, text: str) -> None:
        """Show HTML, and text for what shows none, in the place of what was shown before; from any thread."""
        self._context.run(self._publish, {"text/html": html, "text/plain": text})

    def _publish(self, bundle: dict[str, Any]) -> None:
        from IPython.display import display  # nobody but a notebook has it

        display(bundle, raw=True, display_id=self._display_id, update=self._is_shown)
        self._is_shown = True


def current_cell() -> Cell | None:
    """Return the cell that is being run, where this is a Jupyter kernel; None elsewhere."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    kinds = type(get_ipython()).__mro__
    return Cell() if any(kind.__name__ == "ZMQInteractiveShell" for kind in kinds) else None
