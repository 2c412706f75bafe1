import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


class Slow(sv.Server):
    async def handle_cast(self, message):
        await trio.sleep_forever()


async def test_what_is_sent_to_nobody_is_counted():
    names = sv.Registry()
    with sv.DeadLetters() as dead:
        names.via("nobody").cast("hello")
        await names.via("nobody").send("again")
    names.via("nobody").cast("unseen")
    assert dead.count == 2
    assert dead.last == (sv.DeadLetter("name 'nobody'", "hello"), sv.DeadLetter("name 'nobody'", "again"))


async def test_what_a_process_did_not_get_to_is_counted():
    with sv.DeadLetters() as dead:
        async with sv.open_supervisor([sv.ChildSpec("slow", Slow, restart="temporary")]) as sup:
            ref = sup.which_children()[0].ref
            for number in range(3):
                ref.cast(number)
            await wait_all_tasks_blocked()
            ref.exit(sv.KILL)
            await ref.wait_exited()
            ref.cast(3)
    assert [letter.message for letter in dead.last] == [1, 2, 3]
    assert dead.count == 3


async def test_what_a_server_had_put_aside_is_counted_too():
    class Shy(sv.Server):
        async def handle_cast(self, message):
            self.stash()

    with sv.DeadLetters() as dead:
        async with sv.open_supervisor([sv.ChildSpec("shy", Shy)]) as sup:
            for number in range(3):
                sup.child("shy").cast(number)
            await wait_all_tasks_blocked()
    assert [letter.message for letter in dead.last] == [0, 1, 2]


async def test_what_a_supervisor_tells_itself_is_no_letter():
    async def fails_to_start_again(starts, *, task_status):
        starts.append(trio.current_time())
        if len(starts) > 1:
            await trio.sleep(2)
            raise ValueError("boom")
        task_status.started()

    children = [
        sv.ChildSpec("a", fails_to_start_again, ([],)),
        sv.ChildSpec("b", trio.sleep, (1,), restart="transient", significant=True),
    ]
    with sv.DeadLetters() as dead:
        # It is told of the end of b while it starts a, and to try again after that.
        async with sv.open_supervisor(children, auto_shutdown="any_significant") as sup:
            await sup.wait_exited()
    assert dead.count == 0


async def test_only_the_last_few_are_kept():
    with sv.DeadLetters(keep=2) as dead:
        for number in range(5):
            sv.Registry().via("nobody").cast(number)
    assert dead.count == 5
    assert [letter.message for letter in dead.last] == [3, 4]
