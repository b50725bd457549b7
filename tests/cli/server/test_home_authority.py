"""The authority that phones trust: made once, private, and good for a home alone."""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from cli.server.home_authority import FILE, HomeAuthority
from cli.straps.check import Check, Finding
from cli.straps.doctor import _home_authority
from cli.straps.doctor_report import make_report
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    made = HomeAuthority.open(folder)
    assert HomeAuthority.open(folder).fingerprint == made.fingerprint
    assert len(made.fingerprint) == 95 and made.fingerprint == made.fingerprint.upper()
    if os.name == "posix":
        assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert b"PRIVATE" not in made.certificate_der
    assert "PRIVATE" not in repr(made)
    (folder / FILE).write_text("{}")
    with pytest.raises(EbbtideError, match="cannot be read"):
        HomeAuthority.open(folder)


def test_it_vouches_for_addresses_of_a_home_alone(tmp_path: Path) -> None:
    authority = HomeAuthority.open(tmp_path)
    extensions = authority.certificate.extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees or []
    networks = [item.value for item in permitted if isinstance(item, x509.IPAddress)]
    assert all(network.is_private or network.is_link_local for network in networks)
    assert [item.value for item in permitted if isinstance(item, x509.DNSName)] == [
        "localhost",
        "local",
    ]
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    certificate = x509.load_pem_x509_certificate(authority.issue("192.168.1.20")[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.168.1.20")]
    certificate.verify_directly_issued_by(authority.certificate)
    lasts = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=390) < lasts < timedelta(days=825)  # Apple's limit


def test_the_key_of_the_server_stays_on_no_disk(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    context = HomeAuthority.open(folder).server_context("127.0.0.2", folder)
    assert isinstance(context, ssl.SSLContext)
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_doctor_knows_of_it_and_reports_nothing_of_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert list(_home_authority(settings)) == []
    authority = HomeAuthority.open(settings.data_dir)
    (check,) = _home_authority(settings)
    assert (check.finding, check.key) == (Finding.OK, "Phones")
    content = json.loads((settings.data_dir / FILE).read_text())
    report = json.dumps(make_report(settings, [check, Check("Disk", Finding.OK, "free")]))
    for secret in (content["key"].splitlines()[1], authority.fingerprint):
        assert secret not in report
    if os.name == "posix":
        (settings.data_dir / FILE).chmod(0o644)
        (open_to_all,) = _home_authority(settings)
        assert open_to_all.finding is Finding.ERROR
    (settings.data_dir / FILE).write_text("x")
    (damaged,) = _home_authority(settings)
    assert damaged.finding is Finding.ERROR
