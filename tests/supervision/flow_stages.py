"""Stages for the tests of flows: sources that count or are pushed, and sinks that note what they get."""

import trio

import supervision as sv


class Numbers(sv.Producer):
    """Counts from 0, as far as it is asked to; ``limit`` numbers in all, where that is given."""

    async def init(self, asked=None, limit=None, may_begin=None):
        self.next, self.asked, self.limit = 0, asked if asked is not None else [], limit
        if may_begin is None:
            may_begin = trio.Event()
            may_begin.set()
        self.may_begin = may_begin

    async def handle_demand(self, count):
        await self.may_begin.wait()
        self.asked.append(count)
        if self.limit is not None and self.next + count >= self.limit:
            count = self.limit - self.next
            self.finish()
        self.next += count
        return range(self.next - count, self.next)

    async def handle_call(self, message):
        return self.flow_statistics()


class Sink(sv.Consumer):
    """Notes what it gets; waits for a permit per batch, where there are permits."""

    async def init(self, producer, seen, permits=None, **options):
        self.seen, self.permits = seen, permits
        self.subscribe(producer, **options)

    async def handle_events(self, events):
        if self.permits is not None:
            await self.permits.acquire()
        self.seen.append(list(events))

    async def handle_cancel(self, producer, reason):
        self.seen.append(f"lost it: {reason}")

    async def terminate(self, reason):
        self.seen.append(f"end: {reason}")


class Doubled(sv.ProducerConsumer):
    """Emits each number twice, and no odd ones."""

    async def init(self, producer, **options):
        self.subscribe(producer, **options)

    async def handle_events(self, events):
        return [event for event in events if event % 2 == 0 for _ in range(2)]

    async def handle_call(self, message):
        return self.flow_statistics()


def stages(*children, **options):
    """Run children under names of their own: each is given as (id, class, names of producers, kwargs)."""
    names = sv.Registry()
    specs = [
        sv.ChildSpec(id, stage, tuple(map(names.via, sources)) + args, kwargs, name=names.via(id), **options)
        for id, stage, sources, args, kwargs in children
    ]
    return sv.open_supervisor(specs, strategy="rest_for_one")


def flat(seen):
    return [event for batch in seen if isinstance(batch, list) for event in batch]


class Pushed(sv.Producer):
    """Emits what it is cast, whether anybody has asked or not."""

    buffer_size = 3

    async def init(self, keep="last"):
        self.buffer_keep = keep

    async def handle_demand(self, count):
        return ()

    async def handle_cast(self, message):
        if isinstance(message, list):
            self.emit(message)
        else:
            await super().handle_cast(message)

    async def handle_call(self, message):
        return self.flow_statistics(), self.pending_demand
