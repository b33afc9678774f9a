"""Rules to begin with, each as narrow as its purpose allows: one site, named methods, named headers."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.storage.cors import CorsRule


@dataclass(frozen=True)
class CorsTemplate:
    """A rule without its origin, and what it is for."""

    name: str
    label: str | Promise
    rule: CorsRule

    def for_origin(self, origin: str) -> CorsRule:
        return CorsRule(
            origins=(origin,),
            methods=self.rule.methods,
            allowed_headers=self.rule.allowed_headers,
            exposed_headers=self.rule.exposed_headers,
            max_age_s=self.rule.max_age_s,
            id=self.name,
        )


TEMPLATES = (
    CorsTemplate(
        "browser-upload",
        _("Uploads from the browser, small ones and in parts"),
        CorsRule(
            origins=(),
            methods=("PUT", "POST", "HEAD"),
            allowed_headers=("authorization", "content-type", "content-md5", "x-cos-security-token"),
            exposed_headers=("etag", "x-cos-request-id", "x-cos-hash-crc64ecma"),
            max_age_s=600,
        ),
    ),
    CorsTemplate(
        "presigned-put",
        _("Uploads to signed addresses only"),
        CorsRule(
            origins=(),
            methods=("PUT",),
            allowed_headers=("content-type", "content-md5"),
            exposed_headers=("etag", "x-cos-request-id"),
            max_age_s=600,
        ),
    ),
    CorsTemplate(
        "read-only",
        _("Reading only, as for fonts, images and data of a site"),
        CorsRule(
            origins=(),
            methods=("GET", "HEAD"),
            allowed_headers=("range",),
            exposed_headers=("etag", "content-length", "content-range"),
            max_age_s=3600,
        ),
    ),
)
BY_NAME = {template.name: template for template in TEMPLATES}
