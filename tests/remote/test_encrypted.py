"""A run behind a proxy that encrypts is followed where its certificate is trusted, and nowhere else."""

import re
import shutil
import ssl
import subprocess

import pytest
import trio

import exmc_actors as ex
from exmc_actors.remote.address import address_of
from tests.remote.conftest import Made, Proxy
from tests.remote.followed import all_of, assert_same, blocks
from tests.views.dashboard.conftest import TOKEN, run

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="no openssl here to make a certificate")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a certificate of this machine's own name, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    public = file.with_name("public.pem")
    named = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    make = (OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*make, *named, "-keyout", file, "-out", public], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + public.read_bytes())
    return file


class EncryptingProxy(Proxy):
    """Takes TLS, and passes on what is inside."""

    def __init__(self, port, certificate):
        super().__init__(port)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)

    @property
    def address(self):
        return self.url.replace("http://127.0.0.1", "https://localhost")

    async def _pass_on(self, client):
        inside = trio.SSLStream(client, self._context, server_side=True, https_compatible=True)
        try:
            await super()._pass_on(inside)
        except trio.BrokenResourceError:  # the other side did not like the certificate
            await trio.aclose_forcefully(client)


def followed(certificate):
    said = blocks(20)

    async def main():
        made = Made()
        made.say(*said)
        async with (
            made.served(token=TOKEN) as url,
            EncryptingProxy(address_of(url).port, certificate) as proxy,
            ex.connect(proxy.address, token=TOKEN, patience=0.2) as remote,
            remote.subscribe(overflow=ex.WAIT, from_start=True) as feed,
        ):
            made.feed.close()
            return await all_of(feed), proxy.connections

    return run(main), said


def test_a_run_is_followed_over_https(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("public.pem")))
    (found, connections), said = followed(certificate)
    assert_same(found, said)
    assert connections == 2  # who is there, and the feed


def test_a_certificate_that_nobody_vouches_for_is_refused_in_a_sentence(certificate):
    with pytest.raises(ExceptionGroup) as told:
        followed(certificate)
    [refused] = told.value.exceptions
    assert isinstance(refused, ex.RemoteRefused)
    assert re.match(r"the certificate of https://localhost:\d+/ is not accepted \(self.signed", str(refused))
