"""Be a disk that fails now and then; what it takes is really written."""

import os

from exmc_actors.faults.blocks import Due
from exmc_actors.faults.kinds import ShortWrite, SyncFails, WriteFails


class FaultyDisk:
    """What a store writes to, in the place of the operating system."""

    def __init__(self, faults: Due) -> None:
        """Fail as the faults say."""
        self._faults = faults

    def pwrite(self, fd: int, buffer: bytes, offset: int, /) -> int:
        """Write at a place of a file; return how many bytes were taken.

        Raises:
          OSError: it is due.
        """
        fault = self._faults.due(WriteFails)
        if fault is not None:
            os.pwrite(fd, buffer[: int(fault.taken * len(buffer))], offset)
            raise OSError(fault.error, os.strerror(fault.error))
        is_short = self._faults.due(ShortWrite) is not None
        return os.pwrite(fd, buffer[: -(-len(buffer) // 2)] if is_short else buffer, offset)

    def fsync(self, fd: int, /) -> None:
        """Wait until a file's bytes outlive the machine.

        Raises:
          OSError: it is due.
        """
        fault = self._faults.due(SyncFails)
        if fault is not None:
            raise OSError(fault.error, os.strerror(fault.error))
        os.fsync(fd)
