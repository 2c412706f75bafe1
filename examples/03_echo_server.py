"""Echo over TCP, every connection a process of its own: one that crashes takes nobody with it.

Start it, connect with ``nc 127.0.0.1 7007``, and send a line with the word "crash". ``--quick`` picks a free
port, does that itself, and ends.
"""

import argparse
import logging

import trio
import trio.testing

import supervision as sv


async def listen(names, port, task_status):
    """Accept connections for ever, and hand each one to a task."""
    connections = sv.Tasks(names.via("connections"))
    [listener] = await trio.open_tcp_listeners(port, host="127.0.0.1")
    async with listener:
        names.register("listener", listener.socket.getsockname())
        task_status.started()
        while True:
            stream = await listener.accept()
            try:
                await connections.async_nolink(echo, stream)
            except sv.TooManyChildren:
                await stream.aclose()


async def echo(stream):
    """Send back what comes, until the other side has enough, or this one breaks."""
    async with stream:
        async for data in stream:
            if b"crash" in data:
                raise RuntimeError(f"cannot bear {data!r}")
            await stream.send_all(data)


def children(names, port):
    """Describe the service: new connections need somebody to keep them, so the keeper comes first."""
    return [
        sv.dynamic_supervisor("connections", max_children=1000, name=names.via("connections")),
        sv.ChildSpec("listener", listen, (names, port)),
    ]


async def main(port, is_quick):
    names = sv.Registry()
    async with sv.open_supervisor(children(names, port), strategy="rest_for_one") as sup:
        if is_quick:
            await try_out(names, sup)
        else:
            print("listening on {}:{}".format(*address(names)))
            await trio.sleep_forever()


def address(names):
    [entry] = names.lookup("listener")
    return entry.value


# What --quick does


async def try_out(names, sup):
    async with await connect(names) as steady, await connect(names) as fragile:
        print("steady: ", await ask(steady, b"hello"))
        print("fragile:", await ask(fragile, b"crash, please"))
        print("steady: ", await ask(steady, b"are you still there?"))
        sup.child("listener").exit(sv.KILL)
        # Until the supervisor has acted and the new listener listens.
        await trio.testing.wait_all_tasks_blocked()
        async with await connect(names) as late:
            print("late:   ", await ask(late, b"is there a new listener?"))
            print("steady: ", await ask(steady, b"and do you know the old one?"))
            print(sv.tree(sup))


async def connect(names):
    return await trio.open_tcp_stream(*address(names))


async def ask(stream, data):
    await stream.send_all(data)
    return await stream.receive_some() or "(closed)"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7007)
    parser.add_argument("--quick", action="store_true", help="try it out on a free port, and end")
    options = parser.parse_args()
    if options.quick:
        # The crash is wanted here, so its report is not.
        logging.getLogger("supervision").setLevel(logging.CRITICAL)
    trio.run(main, 0 if options.quick else options.port, options.quick)
