"""What a stored run cannot be given is refused, and leaves every folder as it was."""

import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime.journal import read
from tests.runtime.conftest import SETTINGS, schools, virtual
from tests.runtime.stored import begin, lay_out, to_the_end, went_on


@pytest.mark.parametrize(
    "wrong", [{"var_names": "tehta"}, {"initvals": {"tehta": 1.0}}, {"initvals": {"mu": "x"}}, {"draws": 0}]
)
def test_a_mistake_leaves_no_store_behind(wrong, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ex.ExmcError):
        virtual(lambda: to_the_end(model=schools(), store=folder, **SETTINGS | wrong))
    assert not folder.exists()


@pytest.mark.parametrize("wrong", [{"var_names": "tehta"}, {"model": schools()}])
def test_a_mistake_makes_no_stored_run_longer(wrong, whole, tmp_path):
    lay_out(tmp_path, whole)
    with pytest.raises(ex.ExmcError):
        went_on(tmp_path, draws=5000, **wrong)
    assert read(tmp_path).head.settings.draws == SETTINGS["draws"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("",), "a store is the name of a folder"),
        (("x", "often"), "sync_every must be"),
        (("x", -1.0), "sync_every"),
    ],
)
def test_a_store_is_checked_where_it_is_made(arguments, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.Store(*arguments)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tune": 30}, "has its settings in its store: leave out tune"),
        ({"tune": 5, "random_seed": 2}, "leave out tune, random_seed"),
        ({"chains": 2}, "chains=2 is fewer than the 3"),
        ({"chains": 0}, "chains must be an integer"),
        ({"store": "elsewhere"}, "leave out store"),
        ({"initvals": np.zeros(2)}, "leave out initvals"),
        ({"draws": 10}, "draws=10 is fewer than the 60"),
        ({"draws": 0}, "draws must be an integer"),
        ({"model": schools()}, "holds its model: leave out the one that was given"),
    ],
)
def test_what_a_run_that_goes_on_cannot_be_given_is_refused(options, sentence, whole, tmp_path):
    lay_out(tmp_path, whole)
    with pytest.raises((ex.SettingsError, ex.StoreError), match=sentence):
        went_on(tmp_path, **options)


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(ex.StoreError, match="holds no run"):
        ex.load(tmp_path / "nothing")
    with pytest.raises(ex.SettingsError, match="store must be a folder's name or an ex"):
        virtual(lambda: begin(3))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (schools(), {"stop": "10 min"}),
        (schools(), {"workers": "process", "ensemble": True}),
        (ex.LogDensity(lambda x: -0.5 * jnp.sum(x**2), [0.0]), {"workers": "process"}),
        (schools(), {"var_names": "tehta"}),
        (schools(), {"priority": "high"}),
    ],
)
def test_what_is_refused_leaves_no_folder_behind(model, options, tmp_path):
    with pytest.raises(ex.SettingsError):
        virtual(lambda: to_the_end(model=model, store=tmp_path / "run", **options))
    assert list(tmp_path.iterdir()) == []
