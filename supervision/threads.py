"""Refuse what is done to a process in another thread than the one in which trio runs it."""


def other_thread(instead: str) -> RuntimeError:
    """Return what to raise, before anything has been changed.

    Args:
      instead: what was to be called, and with what, as it is given to ``trio.from_thread.run_sync``.
    """
    return RuntimeError(
        "Processes, refs and replies belong to the thread in which trio runs them, and this is another one. "
        f"Write trio.from_thread.run_sync({instead})."
    )
