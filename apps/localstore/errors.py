"""What the store refuses, with the codes and words of the live service."""

from __future__ import annotations

from dataclasses import dataclass

# Code -> (HTTP status, message). The table is the error list of the XML API reference, 2024-12.
CODES: dict[str, tuple[int, str]] = {
    "AttachmentFull": (400, "The number of grants exceeds the limit."),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketNameTooLong": (400, "The bucket name is too long for its region."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed object size."),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed object size."),
    "ExpiredToken": (400, "The security token you provided is invalid or has expired."),
    "IncompleteBody": (400, "The request body ended before the number of bytes it announced."),
    "InvalidArgument": (400, "Invalid Argument."),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidCopySource": (400, "The copy source is not valid."),
    "InvalidDelimiter": (400, "The delimiter must be one character."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidObjectName": (400, "The specified object name is not valid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidRegionName": (400, "The specified region is not valid."),
    "InvalidRequest": (400, "The request is not valid."),
    "InvalidSHA1Digest": (400, "The SHA-1 you specified did not match what we received."),
    "InvalidTag": (400, "The tag set is not valid."),
    "InvalidURI": (400, "Could not parse the specified URI."),
    "ListPartUploadIdIsEmpty": (400, "The uploadId of the request is empty."),
    "KeyTooLong": (400, "Your key is too long."),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate."),
    "MissingRequestBodyError": (400, "Request body is empty."),
    "NotSupportedStorageClass": (400, "The storage class is not supported."),
    "RequestTimeout": (400, "Your socket connection was idle for too long."),
    "TooManyBuckets": (400, "You have attempted to create more buckets than allowed."),
    "UserNetworkTooSlow": (400, "The body arrives too slowly."),
    "XMLSizeLimit": (400, "The XML you provided is too long."),
    "AccessDenied": (403, "Access Denied."),
    "AccessForbidden": (403, "CORSResponse: This CORS request is not allowed."),
    "InvalidAccessKeyId": (403, "The access key Id you provided does not exist in our records."),
    "InvalidObjectState": (403, "The operation is not valid for the object's storage class."),
    "PathStyleDomainForbidden": (403, "The bucket must be named by the host, not by the path."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the server's is too large."),
    "SignatureDoesNotMatch": (403, "The Signature you specified is invalid."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchTagSet": (404, "The TagSet does not exist."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist."),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "BucketAlreadyExists": (409, "The requested bucket name is not available."),
    "BucketAlreadyOwnedByYou": (
        409,
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "FileAlreadyExists": (409, "The object already exists and the request forbids to overwrite it."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "PreconditionFailed": (412, "Precondition not match."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "NotImplemented": (501, "The functionality you requested is not implemented."),
    "ServiceUnavailable": (503, "Please reduce your request rate."),
    "SlowDown": (503, "Please reduce your request rate."),
}


@dataclass
class StoreError(Exception):
    """One refusal: becomes an error body with all five children.

    `extra` are children between Message and Resource. `closes` means that the
    connection cannot carry another request after this answer.
    """

    code: str
    message: str = ""
    status: int = 0
    extra: tuple[tuple[str, str], ...] = ()
    closes: bool = False

    def __post_init__(self) -> None:
        status, message = CODES.get(self.code, (400, self.code))
        self.status = self.status or status
        # Clients in the field cannot read an error whose Message is empty.
        self.message = self.message or message
        super().__init__(f"{self.status} {self.code}: {self.message}")


class NotModified(Exception):
    """304: an answer without a body, carrying the object's identity headers."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        super().__init__("304")
        self.headers = headers


class ConnectionDropped(Exception):
    """The connection ends without another byte: the peer left, or a fault rule says so."""
