"""Pages in a real browser, Chromium driven by Playwright; what imports this is skipped where it is not."""

import shutil
import threading
from contextlib import contextmanager

import pytest
import trio

from tests.views.dashboard.conftest import served

playwright = pytest.importorskip("playwright.sync_api", reason="'pip install playwright' drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("no Chromium here: apt-get install chromium", allow_module_level=True)
expect = playwright.expect


@contextmanager
def opened_browser():
    """Hold one open."""
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Complaints(list):
    """What goes wrong in a page, and what it asks of anybody else."""

    def watch(self, page, base):
        page.on("console", lambda message: message.type == "error" and self.append(message.text))
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("dialog", lambda dialog: (self.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(base) or self.append(request.url))


@contextmanager
def in_thread(opened):
    """Hold an async context manager open in a thread; yield what it yields, and a way to call into it."""
    inside, leave, box = threading.Event(), trio.Event(), {}

    async def main():
        async with opened() as value:
            box.update(value=value, token=trio.lowlevel.current_trio_token())
            inside.set()
            await leave.wait()

    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    assert inside.wait(120)

    def call(function, *args):
        return trio.from_thread.run(function, *args, trio_token=box["token"])

    async def end():
        leave.set()

    try:
        yield box["value"], call
    finally:
        call(end)
        thread.join()


@contextmanager
def looking(browser, base, hash="", *, expected="nothing", **options):
    """Open a page; when it is closed, nothing but what was expected may have gone wrong in it."""
    complaints = Complaints()
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints.watch(page, base)
    page.goto(base + hash)
    yield page
    context.close()
    assert [one for one in complaints if expected not in one] == []


@contextmanager
def made_by_hand(browser):
    """Show a run made by hand; yield what says things, and the page."""
    with in_thread(served) as ((say, _, client), call), looking(browser, str(client.base_url)) as page:
        yield lambda *messages: call(say, *messages), page
