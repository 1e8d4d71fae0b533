"""Whose certificates are believed on lines to others: the mail relay and the OpenID provider.

Who vouches for them, and, with a file of revocation lists, that they were not taken back. Python's `ssl` asks nobody by
itself, so the lists are the operator's to fetch; they are read anew for each line, and an issuer without a list that is
in date is not believed. Never loosens what `ssl.create_default_context` asks for: a certificate for this very name, in
date, from an authority that is trusted.

Implements RFC 5280, 6.3, by OpenSSL, for the certificate itself and not for those of authorities between.
"""

import re
import ssl
from pathlib import Path

from recognizance.errors import InputError

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_LIST = b"X509 CRL"


def client_context(*, authorities: str = "", revoked: str = "") -> ssl.SSLContext:
    """What a line to somebody else is encrypted and verified with.

    Args:
        authorities: A file of certificates that vouch for the other side; empty for those that the system trusts.
        revoked: A file of revocation lists, as PEM; empty looks at none.

    Raises:
        InputError: As `require_lists`: a certificate in that file would be trusted.
        OSError: If the other file can't be read, or OpenSSL can't make sense of one (`ssl.SSLError`).
    """
    context = ssl.create_default_context(cafile=str(Path(authorities)) if authorities else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if revoked:
        require_lists(revoked)
        context.load_verify_locations(cafile=revoked)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    return context


def require_lists(file: str) -> None:
    """Refuse a file that isn't one of revocation lists and nothing else.

    Raises:
        InputError: If it holds none, or anything else, or can't be read.
    """
    try:
        kinds = set(_BLOCK.findall(Path(file).read_bytes()))
    except OSError as error:
        raise InputError(f"can't read {file}: {error.strerror}") from error
    if kinds != {_LIST}:
        raise InputError(f"{file} has to hold certificate revocation lists (PEM, `BEGIN X509 CRL`) and nothing else")
