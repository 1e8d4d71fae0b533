"""What every answer of the pages says to the browser, and which requests are refused before a page sees them.

The pages load nothing from elsewhere and run no script but their own files: `default-src 'none'` and then what is
needed, by name. Requests that change something have to come from our own pages: browsers say so in `Sec-Fetch-Site`, or
else in `Origin`; and each form has a token besides (`visits.py`), because a browser that says neither exists.

Implements OWASP ASVS 4.0.3, 14.4 (headers) and 13.2.3, 4.2.2 (requests from elsewhere). Pure.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    # `blob:` is a photograph that the reader has just chosen, shown before it's sent.
    "img-src": "'self' blob:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{what} {whence}" for what, whence in _SOURCES.items())

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
}

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
"""A year, as ASVS 14.4.5 asks; only said over TLS, where it can be believed."""

SAFE_METHODS = frozenset({"GET", "HEAD"})
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def is_from_elsewhere(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request that changes something came from another site's page.

    Args:
        headers: By lower-case name.
    """
    if method in SAFE_METHODS:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        # `none` is the reader's own doing, such as sending a form again from a restored tab.
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return False
    return origin == "null" or urlsplit(origin).netloc.casefold() != headers.get("host", "").casefold()


def is_private_line(scheme: str, client_host: str | None) -> bool:
    """Whether nobody between browser and server can read along: TLS, or the same machine."""
    return scheme == "https" or client_host in _LOOPBACK


def is_local_path(target: str) -> bool:
    r"""Whether this leads to a page of ours and nowhere else; browsers read `//host` and `/\host` as another site.

    >>> is_local_path("/uses?page=2"), is_local_path("//evil.example"), is_local_path("/\\evil.example")
    (True, False, False)
    """
    return (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and all(character.isprintable() for character in target)
        and "\\" not in target
    )
