"""AWS Signature Version 4 as a server checks it, strictly."""

import hashlib
import hmac
import re
import urllib.parse
from datetime import datetime, timezone

_FORM = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,\s*"
                   r"SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})")
_TOLERATED_SECONDS = 900


class Refused(Exception):
    """With S3's status and code."""

    def __init__(self, status, code, message="", **more):
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message, more


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _canonical_query(query):
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


def _check_encoding(path):
    """Each byte must be encoded the one way that signing knows."""
    decoded = urllib.parse.unquote_to_bytes(path)
    if urllib.parse.quote(decoded, safe="/-._~") != path:
        raise Refused(400, "InvalidURI", path)


def check(method, target, headers, body, server, now):
    """Raises Refused unless the request is signed by the server's one key. Headers in lower case."""
    path, _, query = target.partition("?")
    _check_encoding(path)
    form = _FORM.fullmatch(headers.get("authorization", ""))
    if not form:
        raise Refused(403, "AccessDenied", "no signature")
    access_key, day, region, names, signature = form.groups()
    if access_key != server.access_key:
        raise Refused(403, "InvalidAccessKeyId", f"no key {access_key}")
    if region != server.region:
        raise Refused(400, "AuthorizationHeaderMalformed", f"expecting '{server.region}'", Region=server.region)
    date = headers.get("x-amz-date", "")
    sent_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    if abs(sent_at - now) > _TOLERATED_SECONDS:
        raise Refused(403, "RequestTimeTooSkewed", "The difference is too large.")
    signed = names.split(";")
    must = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if not must <= set(signed) or not date.startswith(day) or signed != sorted(signed):
        raise Refused(403, "AccessDenied", "headers that are not signed")
    canonical = "\n".join([method, path, _canonical_query(query),
                           *(f"{name}:{headers[name].strip()}" for name in signed), "", names,
                           headers["x-amz-content-sha256"]])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, f"{day}/{region}/s3/aws4_request",
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = _hmac(f"AWS4{server.secret_key}".encode(), day)
    for step in (region, "s3", "aws4_request"):
        key = _hmac(key, step)
    if not hmac.compare_digest(_hmac(key, to_sign).hex(), signature):
        raise Refused(403, "SignatureDoesNotMatch", f"the signature of {access_key} is wrong")
    if hashlib.sha256(body).hexdigest() != headers["x-amz-content-sha256"]:
        raise Refused(400, "XAmzContentSHA256Mismatch")
