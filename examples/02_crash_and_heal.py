"""Break an actor on purpose and watch its supervisor heal it; then break it too often."""

import logging

import trio
import trio.testing

import supervision as sv


class Account(sv.Server):
    """Keeps its balance in a ledger that survives it, and cannot bear an amount of nothing."""

    async def init(self, ledger, auditor):
        self.ledger = ledger
        auditor.cast(self.ref)

    async def handle_call(self, amount):
        if amount == 0:
            raise ValueError("nobody moves nothing")
        self.ledger.append(amount)
        return sum(self.ledger)


class Auditor(sv.Server):
    """Hears of the end of each account before it hears of the next account."""

    async def handle_cast(self, account):
        self.monitor(account)
        print("  auditor: an account has opened")

    async def handle_info(self, message):
        print(f"  auditor: an account is down, {message.reason}")


async def move(account, amount):
    print(f"move {amount}")
    try:
        result = f"balance {await account.call(amount)}"
    except sv.ProcessExited as error:
        result = str(error)
    # Until the supervisor has acted and nothing moves any more.
    await trio.testing.wait_all_tasks_blocked()
    print(f"  {result}")


async def main():
    # The crashes are wanted here, so their reports are not.
    logging.getLogger("supervision").setLevel(logging.CRITICAL)
    auditor, ledger = sv.Registry().via("auditor"), []
    children = [
        sv.ChildSpec("auditor", Auditor, name=auditor),
        sv.ChildSpec("account", Account, args=(ledger, auditor)),
    ]
    try:
        async with sv.open_supervisor(children, max_restarts=2, max_seconds=5.0) as sup:
            for amount in (100, 0, -30, 0, 0, 50):
                await move(sup.child("account"), amount)
    except sv.GaveUp as error:
        print(f"{error}")
        print(f"in the ledger: {ledger}")


if __name__ == "__main__":
    trio.run(main)
