"""Make pictures of the dashboard by a real browser from a real run: light, dark, and as wide as a phone.

    python docs/images/dashboard.py [FOLDER]

Chromium is needed, and Playwright to drive it (``pip install playwright``).
"""

import shutil
import sys
import threading
from pathlib import Path

import trio
from playwright.sync_api import Page, sync_playwright

import exmc_actors as ex
from exmc_actors.opening import open_run

HERE = Path(__file__).parent
VICTIM = 2
SIZES = {
    "light": ("light", 1240, 1240),
    "dark": ("dark", 1240, 1240),
    "phone": ("light", 390, 1700),
}


def model() -> ex.Model:
    """Return the eight schools, written so that some trajectories diverge."""
    b = ex.Builder(
        coords={"school": ["Choate", "Deerfield", "Andover", "Exeter", "Hotchkiss", "Lawrenceville"]}
    )
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.obs("y", ex.Normal(theta, [15.0, 10.0, 16.0, 11.0, 9.0, 11.0]), [28.0, 8.0, -3.0, 7.0, -1.0, 1.0])
    return b.model()


def photograph(url: str, folder: Path) -> None:
    """Look at the page in each size, after a chain was killed from it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for number, (name, (scheme, width, height)) in enumerate(SIZES.items()):
            context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector("#table tbody tr")
            if number == 0:
                kill(page)
            page.wait_for_timeout(3000)
            page.screenshot(path=folder / f"dashboard-{name}.png")
            context.close()
        browser.close()


def kill(page: Page) -> None:
    """Kill a chain, and wait until it is back."""
    page.wait_for_timeout(3000)
    page.get_by_role("button", name=f"Kill chain {VICTIM}").click()
    page.wait_for_selector(".lane .mark")
    page.get_by_role("button", name="Colours").focus()


def main(folder: Path) -> None:
    """Run in one thread and look at it in another."""

    async def run() -> None:
        async with (
            open_run(model(), draws=10**6, chains=4, random_seed=20) as run,
            run.serve_dashboard(control=True) as url,
        ):
            await trio.to_thread.run_sync(photograph_in_thread, url)

    def photograph_in_thread(url: str) -> None:
        thread = threading.Thread(target=photograph, args=(url, folder))  # Playwright wants one of its own
        thread.start()
        thread.join()

    trio.run(run)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
