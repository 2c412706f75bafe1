"""What one process compiled another loads, if the user asks for it; damage and refusals change no draw."""

import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime import executable_files
from exmc_actors.runtime.executable_files import VARIABLE, _read, _write
from tests.runtime.conftest import draws_of, observe, virtual


def sampled(function=lambda q: -0.5 * jnp.dot(q, q), dim=2):
    """Sample a program that this process has not compiled before: each function has a key of its own."""
    target = ex.LogDensity(lambda q: function(q), np.zeros(dim))
    return virtual(lambda: observe(model=target, draws=20, tune=20)).tree


def files_in(folder):
    """Return the files of a folder, with what changes when one is written again."""
    return {path: path.stat().st_ino for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    monkeypatch.setenv(VARIABLE, str(folder))
    executable_files._opened.cache_clear()
    yield folder
    executable_files._opened.cache_clear()


@pytest.fixture(scope="module")
def compiled():
    return draws_of(sampled())


def test_nothing_is_kept_unless_it_is_asked_for(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert executable_files.executable_files() is None
    monkeypatch.setenv(VARIABLE, "")
    assert executable_files.executable_files() is None


def test_what_was_kept_is_loaded_and_makes_the_same_draws_folded(folder, compiled):
    first = sampled()
    written = files_in(folder)
    assert len(written) == 2
    again = sampled()
    assert files_in(folder) == written  # had they not been loaded, they would have been written again
    assert draws_of(first) == draws_of(again) == compiled
    assert first.attrs["folded"] == again.attrs["folded"] == 1


@pytest.mark.slow
def test_another_program_has_files_of_its_own(folder):
    sampled()
    before = files_in(folder)
    sampled(lambda q: -0.25 * jnp.dot(q, q))
    after = files_in(folder)
    assert len(after) == 4
    assert before.items() < after.items()


@pytest.mark.slow
def test_another_process_loads_them_and_makes_the_same_draws_bit_for_bit(folder):
    code = """
import hashlib, warnings
import exmc_actors as ex
warnings.simplefilter("ignore")
b = ex.Builder()
mu = b.rv("mu", ex.Normal(0.0, 5.0))
tau = b.rv("tau", ex.HalfNormal(5.0))
theta = b.rv("theta", ex.Normal(mu, tau), shape=4)
b.obs("y", ex.Normal(theta, 1.0), [0.1, 0.7, -0.4, 0.2])
tree = ex.sample(b.model(), draws=50, chains=2, random_seed=1, progressbar=False)
print(hashlib.sha256(tree.posterior["theta"].values.tobytes()).hexdigest(), tree.attrs["folded"])
"""

    def ran(**environment):
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE} | environment
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    without, writing = ran(), ran(**{VARIABLE: str(folder)})
    written = files_in(folder)
    loading = ran(**{VARIABLE: str(folder)})
    assert len(written) == 2
    assert files_in(folder) == written
    assert without == writing == loading


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:30],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
        lambda content: b"exmc executable 2\n" + content[len(executable_files._MAGIC) :],
    ],
    ids=["empty", "the head alone", "cut", "longer", "a bit", "another version"],
)
def test_a_damaged_file_holds_nothing(tmp_path, damage):
    path = tmp_path / "one"
    _write(path, "key", b"code" * 100)
    assert _read(path, "key") == b"code" * 100
    path.write_bytes(damage(path.read_bytes()))
    assert _read(path, "key") is None


def test_a_file_of_another_key_a_large_one_and_a_missing_one_hold_nothing(tmp_path, monkeypatch):
    path = tmp_path / "one"
    _write(path, "key", b"code" * 100)
    assert _read(path, "other") is None
    assert _read(tmp_path / "two", "key") is None
    monkeypatch.setattr(executable_files, "_LARGEST", 300)
    assert _read(path, "key") is None


@pytest.mark.slow
def test_code_that_is_refused_is_compiled_again_and_replaced(folder, compiled):
    folder.mkdir(mode=0o700)
    sampled()
    written = files_in(folder)
    for path in written:
        _write(path, path.stem, b"rubbish")
    rubbish = files_in(folder)
    assert draws_of(sampled()) == compiled
    assert all(files_in(folder)[path] != rubbish[path] for path in written)
    assert all(path.stat().st_size > 1000 for path in written)


@pytest.mark.slow
def test_a_version_of_jax_that_is_built_otherwise_compiles(folder, compiled, monkeypatch):
    sampled()
    written, asked = files_in(folder), []

    def other(*_, **__):
        asked.append(1)
        raise TypeError("no such field")

    monkeypatch.setattr(executable_files, "dataclasses", SimpleNamespace(replace=other))
    assert draws_of(sampled()) == compiled
    assert len(asked) == len(written) == 2


@pytest.mark.parametrize(
    "obstacle",
    ["a file", *(pytest.param(each, marks=pytest.mark.slow) for each in ("open to others", "not writable"))],
)
def test_a_folder_that_cannot_be_used_is_told_in_a_sentence_once_and_sampling_goes_on(
    folder, monkeypatch, compiled, obstacle
):
    if obstacle == "a file":
        folder.write_text("in the way")
    else:
        folder.mkdir(mode=0o700)
    if obstacle == "open to others":
        folder.chmod(0o777)
    if obstacle == "not writable":
        monkeypatch.setattr(os, "access", lambda *_: False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert draws_of(sampled()) == compiled
        sampled()
    (told,) = [each for each in caught if VARIABLE in str(each.message)]
    assert issubclass(told.category, ex.SamplingWarning)
    assert str(folder) in str(told.message)
    assert obstacle == "a file" or not list(folder.iterdir())


def test_a_folder_in_a_home_that_nobody_has_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setenv(VARIABLE, "~nobody-of-this-name/kept")
    with pytest.warns(ex.SamplingWarning, match="begins at a home that cannot be found"):
        assert executable_files.executable_files() is None


def test_a_disk_that_is_full_loses_the_file_and_nothing_else(folder, compiled, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert draws_of(sampled()) == compiled
    assert not list(folder.iterdir())


def test_a_program_that_calls_back_into_its_process_is_not_kept_and_one_that_calls_lapack_is(folder):
    files, example = executable_files.executable_files(), np.eye(3, dtype=np.float32)

    def calls_back(x):
        return jax.pure_callback(lambda y: np.asarray(y), jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    for function, kept in ((calls_back, 0), (jnp.linalg.cholesky, 1)):
        compiled = files.compiled(jax.jit(function, keep_unused=True).lower(example), (example,), "cpu:0")
        np.testing.assert_array_equal(compiled(example), example)
        assert len(files_in(folder)) == kept
    loaded = files.compiled(
        jax.jit(jnp.linalg.cholesky, keep_unused=True).lower(example), (example,), "cpu:0"
    )
    np.testing.assert_array_equal(loaded(4.0 * example), 2.0 * example)
    assert len(files_in(folder)) == 1


def test_the_hosts_settings_and_programs_have_no_part_in_it(folder):
    before = dict(jax.config.values)
    sampled()
    written = files_in(folder)
    jax.jit(lambda x: x * 3.0 + 1.0)(np.arange(7.0))
    assert dict(jax.config.values) == before
    assert files_in(folder) == written
