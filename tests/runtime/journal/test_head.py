"""A head says of which run a folder is, in two places that have to agree."""

from dataclasses import replace

import numpy as np
import pytest

from exmc_actors.errors import StoreError
from exmc_actors.runtime import Settings
from exmc_actors.runtime.journal import Head, LengthRecord, create, open_again, read
from exmc_actors.runtime.journal.head import decode_head, encode_head, identity_of

SETTINGS = Settings(draws=10, chains=2, initvals=({"mu": np.arange(3.0)}, None))
HEAD = Head(SETTINGS, b"model", 3, {"exmc_actors": "1"})
OTHERS = [
    replace(HEAD, model=b"another model"),
    replace(HEAD, model=None),
    replace(HEAD, dim=4),
    replace(HEAD, settings=replace(SETTINGS, random_seed=1)),
    replace(HEAD, settings=replace(SETTINGS, initvals=({"mu": np.zeros(3)}, None))),
]


@pytest.mark.parametrize("other", OTHERS)
def test_the_head_of_another_run_is_refused(tmp_path, other):
    for name, head in (("mine", HEAD), ("other", other)):
        with create(tmp_path / name, head):
            pass
    mine = tmp_path / "mine" / "head"
    mine.write_bytes((tmp_path / "other" / "head").read_bytes())
    with pytest.raises(StoreError, match="is that of another run than the journal's own copy"):
        read(tmp_path / "mine")
    with pytest.raises(StoreError, match="is that of another run"), open_again(tmp_path / "mine"):
        pass
    mine.unlink()  # as the sentence advises
    assert identity_of(read(tmp_path / "mine").head) == identity_of(HEAD)


def test_a_head_that_was_damaged_is_no_other_one_and_neither_is_that_of_a_run_made_longer(tmp_path):
    with create(tmp_path, HEAD) as journal:
        journal.append(LengthRecord(30))
    (tmp_path / "head").write_bytes(b"damaged")
    with open_again(tmp_path) as (_, kept):
        assert kept.damages == ("head",)
    kept = read(tmp_path)
    assert (kept.head.settings.draws, kept.damages) == (30, ())


def test_a_head_is_the_same_after_it_was_read():
    assert identity_of(decode_head(encode_head(HEAD))) == identity_of(HEAD)
    assert len({identity_of(one) for one in (HEAD, *OTHERS)}) == 1 + len(OTHERS)
