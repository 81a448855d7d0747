"""docs/sign-in.md as an integrator reads it: the CA to try with is one that lets in."""

import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.directory import Trust
from gateway.errors import CertificateRejected, RevocationUnknown
from gateway.security.certificates import TrustStore, Usage

PAGE = Path(__file__).parents[2] / "docs" / "sign-in.md"


def run(name, folder):
    """Run the block behind a mark in the page."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"<!-- test: {name} -->\n```sh\n(.*?)```\n", text, re.DOTALL)
    assert found
    done = subprocess.run(
        ["bash", "-eu", "-c", found[1]], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def judge(folder, *, crls=True):
    def der(name):
        pem = (folder / name).read_bytes()
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    crl = x509.load_pem_x509_crl((folder / "ca.crl").read_bytes()).public_bytes(Encoding.DER)
    store = TrustStore(Trust(anchors=(der("ca.pem"),), crls=(crl,) if crls else ()))
    at = datetime.now(UTC) + timedelta(seconds=1)
    return store.holder(der("bvh.pem"), Usage.TLS_CLIENT, at)


def test_the_ca_of_the_page_issues_lists_and_revokes(tmp_path):
    run("crl", tmp_path)

    assert judge(tmp_path).common_name == "bvh.example"
    with pytest.raises(RevocationUnknown):
        judge(tmp_path, crls=False)

    run("revoke", tmp_path)
    with pytest.raises(CertificateRejected) as caught:
        judge(tmp_path)
    assert caught.value.code == "certificate.revoked"
