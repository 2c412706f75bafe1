"""Every mistake on the page of mistakes is refused with the sentence that stands below it."""

import re
from pathlib import Path

import numpy as np
import pytest

import exmc_actors as ex

PAGE = (Path(__file__).parents[1] / "docs" / "mistakes.md").read_text()
START = re.search(r"^```py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL).group(1)
MISTAKE = re.compile(r"^```py\n([^`]*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
MISTAKES = MISTAKE.findall(PAGE)


def test_the_page_has_them_all():
    assert len(MISTAKES) == PAGE.count("```text") >= 30
    assert PAGE.count("```py") == 1 + len(MISTAKES)


@pytest.mark.parametrize(("mistake", "sentence"), MISTAKES, ids=[m.splitlines()[0][:40] for m, _ in MISTAKES])
def test_a_mistake_gets_the_sentence_of_the_page(mistake, sentence):
    names = {"ex": ex, "np": np}
    exec(START, names)
    with pytest.raises(ex.ExmcError) as refused:
        exec(mistake, names)
    assert f"{type(refused.value).__name__}: {refused.value}" == sentence.rstrip("\n")
