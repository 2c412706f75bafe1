"""An actor, a call and a cast: state that only one task ever touches."""

import trio

import supervision as sv


class Counter(sv.Server):
    """Counts; ``next`` is answered, ``reset`` is not."""

    async def init(self, start=0):
        self.n = start

    async def handle_call(self, message):
        match message:
            case "next":
                self.n += 1
                return self.n

    async def handle_cast(self, message):
        match message:
            case "reset":
                self.n = 0


async def main():
    async with sv.open_supervisor([sv.ChildSpec("counter", Counter, args=(40,))]) as sup:
        counter = sup.child("counter")
        print("next:", await counter.call("next"))
        print("next:", await counter.call("next"))
        counter.cast("reset")
        print("after the reset:", await counter.call("next"))


if __name__ == "__main__":
    trio.run(main)
