"""The page in a real browser: Chromium without a screen, driven by Playwright; skipped where it is not."""

import re
from contextlib import asynccontextmanager

import pytest
import trio

from exmc_actors.messages import ChainRestarted, RunPaused
from exmc_actors.opening import open_run
from exmc_actors.views.dashboard import server
from tests.runtime.conftest import schools
from tests.views.dashboard.conftest import TOKEN, Hand, block, served
from tests.views.dashboard.pages import expect, in_thread, looking, made_by_hand

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real_run():
    """A run that does not end by itself, and a page that may hold it."""

    @asynccontextmanager
    async def opened():
        async with (
            open_run(schools(), draws=10**8, chains=3, random_seed=3) as run,
            run.serve_dashboard(control=True) as url,
        ):
            yield url

    with in_thread(opened) as (url, _):
        yield url.split("#")


MORE_DRAWS = """([chain, before]) =>
    Number.parseInt(document.querySelectorAll("#chains td.draws")[chain].textContent) > before"""


def draws_in(page, chain=0):
    return int(page.locator(f"#chains tr[data-chain='{chain}'] .draws").inner_text().split(" ")[0])


def test_the_page_fills_while_a_run_goes_on(browser, real_run):
    base, hash = real_run
    with looking(browser, base, f"#{hash}") as page:
        expect(page.locator("#state")).to_have_text("▶ running")
        expect(page.locator("#table tbody tr")).to_have_count(10)
        expect(page.locator(".quantity[data-name='mu'] .trace .uplot")).to_be_visible()
        expect(page.locator("#table .verdict").first).to_contain_text(re.compile("good|fair|poor|early"))
        expect(page.locator("#tree")).to_contain_text("model server")
        before = draws_in(page)
        page.wait_for_function(MORE_DRAWS, arg=[0, before])
        assert "token" not in page.url  # nor in the history
        page.reload()
        expect(page.locator("#table tbody tr")).to_have_count(10)


def test_a_killed_chain_is_seen_to_come_back(browser, real_run):
    base, hash = real_run
    with looking(browser, base, f"#{hash}") as page:
        row = page.locator("#chains tr[data-chain='2']")
        row.get_by_role("button", name="Kill chain 2").click()
        expect(row.locator(".restarts")).to_have_text("1")
        expect(row.locator(".lane .mark")).to_have_text("▲")
        expect(page.locator("#events li").first).to_contain_text("chain 2 restarted (1x): killed")
        expect(page.locator("#tree")).to_contain_text("▲ 1 restart")
        before = draws_in(page, 2)
        page.wait_for_function(MORE_DRAWS, arg=[2, before])


def test_pausing_stops_the_counters_and_resuming_moves_them(browser, real_run):
    base, hash = real_run
    with looking(browser, base, f"#{hash}") as page:
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#state")).to_contain_text("paused")
        page.wait_for_timeout(1000)  # blocks that were being computed are committed
        before = [draws_in(page, chain) for chain in range(3)]
        page.wait_for_timeout(700)
        assert [draws_in(page, chain) for chain in range(3)] == before
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#state")).to_have_text("▶ running")
        page.wait_for_function(MORE_DRAWS, arg=[0, before[0]])


def test_a_stream_that_the_server_drops_goes_on_where_it_was(browser, monkeypatch):
    open_connections = []

    class Watched(server.Connection):
        async def run(self):
            open_connections.append(self._stream)
            await super().run()

    monkeypatch.setattr(server, "Connection", Watched)
    with in_thread(served) as ((say, _, client), call):
        base = str(client.base_url)
        with looking(browser, base, expected="ERR_INCOMPLETE_CHUNKED_ENCODING") as page:
            asked = []
            page.on("request", lambda request: asked.append(request.headers.get("last-event-id")))
            call(say, block(0, 0, 50), ChainRestarted(0, "sample", 50, 1, "first"))
            expect(page.locator("#events li")).to_have_count(1)

            async def drop():
                for stream in open_connections:
                    await trio.aclose_forcefully(stream)
                await say(
                    ChainRestarted(0, "sample", 50, 2, "second"), block(0, 50, 50), RunPaused("asked to")
                )

            call(drop)
            expect(page.locator("#events li")).to_have_count(3)
            call(say, ChainRestarted(0, "sample", 100, 3, "third"))
            expect(page.locator("#events li")).to_have_count(4)
            told = page.locator("#events li").all_inner_texts()
            assert [re.search("first|second|third|paused", text)[0] for text in told] == [
                "third",
                "paused",
                "second",
                "first",
            ]
            expect(page.locator("#chains .draws").first).to_have_text("100 / 1000")
            expect(page.locator("#link")).to_have_text("")
            assert any(asked), "it came back without saying what it had"


@pytest.mark.parametrize(
    "name", ["<script>", "<img src=x onerror=alert(1)>", "__proto__", "a&amp;b", "</table>"]
)
def test_a_name_stays_text(browser, name):
    with made_by_hand(browser) as (tell, page):
        for chain in range(2):
            tell(block(chain, 0, 500, names=(name, "other"), diverged=(3,)))
        tell(ChainRestarted(0, "sample", 500, 1, name))
        expect(page.locator("#table tbody tr").first.locator(".name")).to_have_text(name)
        expect(page.locator(".quantity h3").first).to_contain_text(name)
        expect(page.locator("#events li").first).to_contain_text(name)
        assert page.evaluate("document.scripts.length") == 2
        assert page.evaluate("document.querySelectorAll('main img').length") == 0


def test_a_thousand_quantities_are_searched_and_paged_by_keyboard(browser):
    with made_by_hand(browser) as (tell, page):
        for chain in range(2):
            tell(block(chain, 0, 300, shape=(1000,)))
        expect(page.locator("#table tbody tr")).to_have_count(20)
        expect(page.locator("#page")).to_have_text("page 1 of 51")
        page.get_by_role("button", name="Next page").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#page")).to_have_text("page 2 of 51")
        page.keyboard.press("/")
        page.keyboard.type("[77")
        expect(page.locator("#page")).to_have_text("page 1 of 1")
        expect(page.locator("#table tbody tr")).to_have_count(11)
        button = page.get_by_role("button", name="Show charts of <script>[777]")
        button.focus()
        page.keyboard.press("Space")
        expect(page.locator(".quantity h3").last).to_contain_text("<script>[777]")
        expect(page.locator(".quantity")).to_have_count(3)
        expect(button).to_have_attribute("aria-pressed", "true")


def test_a_page_goes_back_to_what_it_showed_when_the_server_does_not_take_what_it_asks_for(browser):
    with (
        in_thread(served) as ((say, _, client), call),
        looking(browser, str(client.base_url), expected="status of 400") as page,
    ):
        long = 520 * "θ"  # six characters each in a query
        call(say, block(0, 0, 50, names=("mu", long), shape=(4,)))
        for number in (1, 2):
            page.get_by_role("button", name=f"Show charts of {long}[{number}]").click()
            expect(page.locator(".quantity")).to_have_count(2 + number)
        page.get_by_role("button", name=f"Show charts of {long}[3]").click()
        expect(page.locator("#link")).to_contain_text("longer than 12288 characters")
        call(say, block(0, 50, 50, names=("mu", long), shape=(4,)))
        expect(page.locator("#chains .draws").first).to_have_text("100 / 1000")
        expect(page.locator(".quantity")).to_have_count(4)
        expect(page.get_by_role("alert")).to_be_hidden()
        page.get_by_role("button", name="Show charts of mu").click()
        expect(page.locator(".quantity")).to_have_count(3)
        expect(page.locator("#link")).to_have_text("")


def test_a_wrong_token_gets_one_sentence(browser):
    with in_thread(lambda: served(token=TOKEN, control=Hand())) as ((say, _, client), call):
        call(say, block(0, 0, 50))
        page = browser.new_page()
        page.goto(f"{client.base_url}#token=wrong-token-of-a-guest")
        expect(page.get_by_role("alert")).to_contain_text("a token is needed")
        assert page.locator("#chains tbody tr").count() == 0
        page.close()


def test_a_page_of_another_origin_gets_nothing_and_moves_nothing(browser):
    hand = Hand()
    ask = """async ([url, token]) => {
        const headers = token ? { Authorization: `Bearer ${token}` } : {};
        const got = [];
        for (const [path, method] of [["events", "GET"], ["control/abort", "POST"]])
          for (const mode of ["cors", "no-cors"])
            try { got.push((await (await fetch(url + path, { method, mode, headers })).text())); }
            catch (error) { got.push(error.name); }
        return got;
    }"""
    with (
        in_thread(lambda: served(token=TOKEN, control=hand)) as ((say, _, victim), call),
        in_thread(served) as ((_, _, other), _),
    ):
        call(say, block(0, 0, 50))
        context = browser.new_context(bypass_csp=True)  # another site has no such policy
        page = context.new_page()
        page.goto(str(other.base_url))
        for token in ("", TOKEN):
            assert set(page.evaluate(ask, [str(victim.base_url), token])) <= {"TypeError", ""}
        assert hand.did == []
        context.close()


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_the_page_is_as_wide_as_its_window(browser, width):
    with in_thread(served) as ((say, _, client), call):
        call(say, *(block(chain, 0, 300, diverged=(5,)) for chain in range(2)))
        viewport = {"width": width, "height": 800}
        with looking(browser, str(client.base_url), viewport=viewport) as page:
            expect(page.locator(".quantity .uplot").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_colours_follow_the_system_and_the_switch(browser):
    ground = "getComputedStyle(document.body).backgroundColor"
    with in_thread(served) as ((_, _, client), _):
        base = str(client.base_url)
        with looking(browser, base, color_scheme="dark") as page:
            dark = page.evaluate(ground)
            page.get_by_role("button", name="Colours").click()
            light = page.evaluate(ground)
            assert dark != light
            page.reload()
            expect(page.get_by_role("button", name="Colours")).to_have_text("Colours: light")
            assert page.evaluate(ground) == light
