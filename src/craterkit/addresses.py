"""Names of rasters and tables as others may see them: addresses without passwords and signatures."""

from __future__ import annotations

import re
from urllib.parse import unquote

from craterkit.results.hashes import hash_bytes

__all__ = ["cause", "safe_text", "without_secrets"]

#: GDAL's way of giving options with an address: of these only the address says what is read.
_WITH_OPTIONS = re.compile(r"/vsicurl(?:_streaming)?\?([^}\"]*)")

#: As databases are told, and services that are described in a name.
_PASSWORD = re.compile(r"""\b(password|passwd|pwd)=('[^']*'|[^\s&'"]*)""", re.IGNORECASE)

#: What may be an address within a text, or the end of one, but for what ends a sentence.
_WORD = re.compile(r"""[^\s'"]*(?:://|/vsi|\?[\w.-]+=)[^\s'"]*[^\s'":;,.)]""")

_USER = re.compile(r"(?<=://)[^/?#\s]*@")

#: A query, up to the end of what GDAL takes for an address.
_QUERY = re.compile(r"\?([^}\"]*)")


def _entries(keys: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^&?])(?:{keys})=[^&#/]*", re.IGNORECASE)


#: Entries of a query that sign it, and those that may come along with a signature.
_SIGNATURE = _entries(r"x-amz-[\w-]+|x-goog-[\w-]+|signature|sig|token|access_token")
_ALONG = _entries(
    r"awsaccesskeyid|googleaccessid|expires|key-pair-id|policy|s[eprstv]|spr|srt|sip|sk\w+"
)


def without_secrets(name: str) -> str:
    """A raster's name without users, passwords and signatures, and with its query only as a hash.

    Examples
    --------
    >>> without_secrets("https://me:word@host/dem.tif?Signature=secret&Expires=1")
    'https://host/dem.tif'
    """
    if name.lstrip().startswith("<"):  # a whole description of a raster in XML
        return _hashed(name)
    name = _PASSWORD.sub(r"\1=", name)
    return _without_secrets(name) if "://" in name or "/vsi" in name else name


def _without_secrets(name: str) -> str:
    name = _WITH_OPTIONS.sub(_address, name)
    return _QUERY.sub(lambda found: _unsigned(found[1]), _USER.sub("", name))


def _address(found: re.Match[str]) -> str:
    """The address among options, as it would be without any."""
    options = (option.partition("=") for option in found[1].split("&"))
    addresses = [unquote(value) for key, _, value in options if key.lower() == "url"]
    return f"/vsicurl/{addresses[-1] if addresses else ''}"


def _unsigned(query: str) -> str:
    """A hash of a query without its signature; nothing if nothing else is in it."""
    unsigned = _SIGNATURE.sub("", query)
    if unsigned != query:
        unsigned = _ALONG.sub("", unsigned)
    kept = [part for part in unsigned.split("&") if part]
    return f"?{_hashed('&'.join(kept))}" if kept else ""


def _hashed(text: str) -> str:
    return hash_bytes(text.encode(errors="surrogateescape"))


def safe_text(text: str) -> str:
    """A message in which addresses are as `without_secrets` gives them.

    Examples
    --------
    >>> safe_text("http://me:word@host/dem.tif: is damaged")
    'http://host/dem.tif: is damaged'
    """
    text = _PASSWORD.sub(r"\1=", _USER.sub("", text))
    return _WORD.sub(lambda found: _without_secrets(found[0]), text)


def cause(error: BaseException) -> BaseException | None:
    """An error, to be shown as what caused another; None if it quotes what nobody should see."""
    seen: BaseException | None = error
    while seen is not None:
        if safe_text(str(seen)) != str(seen):
            return None
        seen = seen.__cause__ or seen.__context__
    return error
