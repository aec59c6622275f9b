from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from platform_meter.demo.apis.certificates import new_key, self_signed


def test_a_certificate_is_its_own_authority() -> None:
    """It was issued by itself, may sign, and is good for the one address."""
    made = self_signed("127.0.0.1")
    found = x509.load_pem_x509_certificate(made.text.encode())
    found.verify_directly_issued_by(found)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    key = serialization.load_pem_private_key(made.key.encode(), None)
    assert key.public_key() == found.public_key()


def test_its_key_is_not_shown() -> None:
    """Not where it is printed by mistake."""
    assert "PRIVATE" not in repr(self_signed("127.0.0.1"))


def test_an_address_is_one() -> None:
    """A name is none."""
    with pytest.raises(ValueError, match="localhost"):
        self_signed("localhost")


def test_each_key_is_new() -> None:
    """An RSA one, as Google gives them."""
    one, other = new_key(), new_key()
    assert one != other
    assert isinstance(serialization.load_pem_private_key(one.encode(), None), rsa.RSAPrivateKey)
