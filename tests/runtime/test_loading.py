"""What a store holds is read as it was chosen, with the names that its model gives, where there is a draw."""

import pytest

import exmc_actors as ex
from tests.runtime.conftest import draws_of, schools, virtual
from tests.runtime.stored import begun, lay_out, to_the_end


def test_a_run_that_was_cut_off_in_warmup_has_nothing_to_read_yet(tmp_path):
    begun(tmp_path, 2)
    with pytest.raises(ex.RunFailed, match="has no kept draw yet: go on with it by ex"):
        ex.load(tmp_path)


def test_what_is_read_may_be_chosen_and_named(tmp_path, whole, undisturbed):
    lay_out(tmp_path, whole)
    loaded = ex.load(tmp_path, var_names="mu", save_warmup=True)
    assert list(loaded.posterior.data_vars) == ["mu"]
    assert draws_of(loaded)["warmup_posterior/mu"] == undisturbed["warmup_posterior/mu"]
    with pytest.raises(ex.SettingsError, match="unknown variable 'tehta': did you mean 'theta'"):
        ex.load(tmp_path, var_names=["mu", "tehta"])
    with pytest.raises(ex.SettingsError, match="holds its model"):
        ex.load(tmp_path, model=schools())


def test_a_model_that_is_not_stored_names_the_axes_of_what_is_read(tmp_path):
    def standard(value):
        return -0.5 * value * value

    b = ex.Builder(coords={"place": ["here", "there"]})
    b.rv("z", ex.Custom(standard), dims="place")
    model = b.model()
    tree = virtual(lambda: to_the_end(model=model, draws=20, chains=2, random_seed=1, store=tmp_path))
    assert ex.load(tmp_path).posterior["z"].dims == ("chain", "draw", "z_dim_0")
    loaded = ex.load(tmp_path, model=model)
    assert loaded.posterior["z"].dims == ("chain", "draw", "place")
    assert draws_of(loaded) == {name: bits for name, bits in draws_of(tree).items() if "warmup" not in name}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"var_names": 3}, "var_names must be a name, a list of names, or None, got 3"),
        ({"var_names": [3]}, "var_names must be"),
        ({"save_warmup": "no"}, "save_warmup must be True or False, got 'no'"),
        ({"folder": None}, "folder must be a folder's name or an ex.Store, got None"),
        ({"folder": "a\0b"}, "a store is the name of a folder"),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused(wrong, sentence, tmp_path, whole):
    lay_out(tmp_path, whole)
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.load(**{"folder": tmp_path} | wrong)
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.export(**{"folder": tmp_path, "path": tmp_path / "draws.nc"} | wrong)


def test_a_store_may_be_given_where_its_folder_may_and_names_that_can_be_read_once(tmp_path, whole):
    lay_out(tmp_path, whole)
    loaded = ex.load(ex.Store(tmp_path), var_names=(name for name in ("mu",)))
    assert list(loaded.posterior.data_vars) == ["mu"]
