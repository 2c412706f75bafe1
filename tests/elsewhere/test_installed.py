import sys

import pytest

import exmc_actors as ex


@pytest.mark.parametrize(
    ("module", "function", "sentence"),
    [
        (
            "numpyro",
            ex.from_numpyro,
            r"needs NumPyro, .* not installed: pip install 'exmc-actors\[numpyro\]'",
        ),
        ("pymc", ex.from_pymc, r"needs PyMC, which is not installed: pip install 'exmc-actors\[pymc\]'"),
    ],
)
def test_a_library_that_is_not_there_is_named_with_how_to_install_it(monkeypatch, module, function, sentence):
    monkeypatch.setitem(sys.modules, module, None)  # what Python itself then says is that there is none
    with pytest.raises(ex.ModelError, match=sentence):
        function(lambda: None)
