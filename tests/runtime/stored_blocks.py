"""What blocks say, so that two can be compared, and how one is damaged where it lies in a journal."""

from exmc_actors.messages import DrawBlock


def content(message):
    """Return all that a message says, so that two can be compared."""
    if not isinstance(message, DrawBlock):
        return message
    columns = {**message.draws, **{f"{name} of stats": values for name, values in message.stats.items()}}
    arrays = {name: (a.dtype, a.shape, a.tobytes(), a.flags.writeable) for name, a in columns.items()}
    return message.chain, message.phase, message.first, arrays


def spoil(folder, place):
    path = folder / f"{place.segment:06d}.journal"
    data = bytearray(path.read_bytes())
    data[place.first + place.length // 2] ^= 1
    path.write_bytes(data)
