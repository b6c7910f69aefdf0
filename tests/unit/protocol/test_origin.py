"""Whom limits count."""

import pytest

from authserver.protocol.audit import Origin


@pytest.mark.requirement("AZ-12")
@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("ann@machine", "ann@machine"),
        ("", ""),
    ],
)
def test_a_source_is_an_ipv4_address_however_written_or_the_network_of_one_customer(address: str, site: str) -> None:
    assert Origin(address).site == site
