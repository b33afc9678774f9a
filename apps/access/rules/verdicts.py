"""Who can open something, in sentences: what the grants say, what was proven, and what nobody could check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from apps.access.rules.answers import Answer, Explained, Origin, Outcome
from apps.access.rules.findings import has_unknown
from apps.access.rules.rights import Rights, bucket_rights, object_rights
from apps.access.rules.words import Resource
from apps.storage.cors import Preflight
from apps.storage.grants import EVERYONE, SIGNED_IN, Acl, Grantee, Permission

OPEN, CLOSED, UNCLEAR = "open", "closed", "unclear"
_WRITING = frozenset({Permission.WRITE, Permission.WRITE_ACP})


@dataclass(frozen=True)
class Question:
    """One question that was asked, for the table of proofs."""

    text: str
    answer: Answer[Any]


@dataclass(frozen=True)
class Verdict:
    """The answers about a place in words. `tone` is OPEN, CLOSED or UNCLEAR, and never CLOSED on a guess.

    OPEN is also what nobody may read and strangers may overwrite.
    """

    answers: Explained
    key: str

    @property
    def has_object(self) -> bool:
        """Return whether this is about an object that is there, as far as is known."""
        return bool(self.key) and not self.answers.is_object_missing

    @property
    def acl(self) -> Acl | None:
        """Return the grants that this is about: of a missing object those that a new one would inherit."""
        if self.has_object and self.answers.acl is not None:
            return self.answers.acl.value
        return self.answers.bucket_acl.value

    @cached_property
    def rights(self) -> Rights | None:
        """Return who can do what by the grants, None where those that decide could not be read."""
        acl, bucket_acl = self.acl, self.answers.bucket_acl.value
        if acl is None or (acl.is_inherited and bucket_acl is None):
            return None
        return object_rights(acl, bucket_acl) if self.has_object else bucket_rights(acl)

    @property
    def probe(self) -> Answer[Any]:
        """Return what somebody without a key got: the object, or the list of a bucket."""
        return self.answers.probe or self.answers.list_probe

    @property
    def tone(self) -> str:
        if self.answers.is_bucket_missing or self.answers.is_object_missing:
            return UNCLEAR
        if self.probe.outcome is Outcome.YES or self._reads(SIGNED_IN) or self._is_writable:
            return OPEN
        return CLOSED if self._is_decided and self.probe.outcome is Outcome.REFUSED else UNCLEAR

    @property
    def headline(self) -> str:
        if self.answers.is_bucket_missing:
            return _("There is no such bucket.")
        if self.answers.is_object_missing:
            return _("There is no object with this key.")
        if self.probe.outcome is Outcome.YES:
            return _("Everyone on the internet can open this.")
        if self._reads(EVERYONE):
            return _("By the grants everyone could open this, but that was not confirmed.")
        if self._reads(SIGNED_IN):
            return _("Everyone with an account at this cloud can open this.")
        if self.tone == UNCLEAR or not self._is_decided:
            return _("Who can open this is not clear.")
        return self._closed()

    def _closed(self) -> str:
        match self._is_named, self._is_writable:
            case True, True:
                return _("Only the owner and those who are named can open this, but strangers can change it.")
            case True, False:
                return _("Only the owner and those who are named can open this.")
            case False, True:
                return _("Only the owner can open this, but strangers can change it.")
            case _neither:
                return _("Only the owner can open this.")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why, and what the proof was."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[str]:
        acl = self.answers.acl.value if self.answers.acl else None
        if acl is not None and acl.is_inherited:
            yield _("The object has no grants of its own: the bucket's decide.")
        elif acl is not None:
            yield _("The object has grants of its own, and they go before the bucket's.")
        yield self._proof()
        if self.rights and not self._is_decided:
            yield _("A grant names somebody, or allows something, that the console does not know.")
        for line in self.rights.lines if self.rights else ():
            if line.is_stranger and line.permissions - {Permission.READ}:
                yield line.sentence
        if self.key and self.answers.list_probe.outcome is Outcome.YES:
            yield _("Everyone can also list the keys of the bucket, so that this one can be found.")

    def _proof(self) -> str:
        said = self._reads(EVERYONE)
        match self.probe.outcome:
            case Outcome.YES if said:
                return _("Proof: the store answered a request without any key.")
            case Outcome.YES if self.rights:
                return _(
                    "Proof: the store answered a request without any key, although the grants let nobody in. "
                    "A bucket policy or CAM must allow it; look there."
                )
            case Outcome.YES:
                return _("Proof: the store answered a request without any key. The grants could not be read.")
            case Outcome.REFUSED if said:
                return _(
                    "A request without any key was refused, although the grants let everyone in: "
                    "a bucket policy denies it, or the account is blocked."
                )
            case Outcome.REFUSED:
                return _("Proof: the store refused a request without any key.")
            case Outcome.MISSING:
                return _("A request without any key was told that nothing is there.")
            case _failed:
                return _("A request without any key got no usable answer, so nothing is proven.")

    @property
    def doubts(self) -> tuple[str, ...]:
        """Return what could not be checked. A refusal is no answer about who gets in."""
        return tuple(self._doubts())

    def _doubts(self) -> Iterator[str]:
        answers = self.answers
        if answers.acl and answers.acl.error and not answers.is_object_missing:
            yield _(
                "The object's grants could not be read: whom they name is unknown, which is not “nobody”."
            )
        if answers.bucket_acl.error and not answers.is_bucket_missing:
            yield _(
                "The bucket's grants could not be read: whom they name is unknown, which is not “nobody”."
            )
        if self.has_object and self.deciding is self.acl and self._is_odd_bucket:
            yield _(
                "The bucket's grants name somebody, or allow something, that the console does not know: who "
                "may overwrite the object is not clear."
            )
        if answers.info and answers.info.outcome in (Outcome.REFUSED, Outcome.FAILED):
            yield _("Whether the object exists could not be checked with the connection's key.")
        yield _("Grants through CAM or a bucket policy cannot be read here, and may let more people in.")
        if self.key:
            yield _("An address of a CDN or of your own domain follows the bucket, not the object.")

    @property
    def questions(self) -> tuple[Question, ...]:
        """Return everything that was asked, in the order in which a person would."""
        answers = self.answers
        asked: tuple[tuple[str, Answer[Any] | None], ...] = (
            (_("The bucket, with the connection's key"), answers.bucket),
            (_("The object, with the connection's key"), answers.info),
            (_("The grants of the object"), answers.acl),
            (_("The grants of the bucket"), answers.bucket_acl),
            (_("The object, without any key"), answers.probe),
            (_("The list of keys, without any key"), answers.list_probe),
            (_("The preflight of a browser"), answers.preflight),
        )
        return tuple(Question(text, answer) for text, answer in asked if answer is not None)

    @property
    def deciding(self) -> Acl | None:
        """Return the grants that decide about opening: of an object that inherits those of its bucket."""
        return self.answers.bucket_acl.value if self.acl and self.acl.is_inherited else self.acl

    @property
    def _is_decided(self) -> bool:
        """Whether the grants tell who can open this: they were read, and all of them are known."""
        acl = self.deciding
        of = Resource.OBJECT if self.has_object and acl is self.acl else Resource.BUCKET
        return self.rights is not None and acl is not None and not has_unknown(acl, of)

    @property
    def _is_odd_bucket(self) -> bool:
        acl = self.answers.bucket_acl.value
        return acl is not None and has_unknown(acl)

    @property
    def _is_writable(self) -> bool:
        """Whether strangers may overwrite this, or let themselves do so."""
        return bool(self.rights and _WRITING & self.rights.of(SIGNED_IN))

    @property
    def _is_named(self) -> bool:
        given = self.rights.given if self.rights else {}
        return any(Permission.READ in held for held in given.values())

    def _reads(self, who: Grantee) -> bool:
        return self.rights is not None and Permission.READ in self.rights.of(who)


def browser_words(answer: Answer[Preflight], origin: Origin) -> str:
    """Return what a browser would do with a page of another site."""
    found = answer.value
    if found is None:
        return _("The store did not answer the preflight, so what a browser would do is unknown.")
    words = {"origin": origin.origin, "method": origin.method}
    if found.is_allowed and origin.method in found.methods:
        return _("A browser lets a page of %(origin)s send %(method)s: a CORS rule fits.") % words
    return (
        _("A browser stops a page of %(origin)s that sends %(method)s: no CORS rule fits.") % words
        + " "
        + _("That protects no data: programs other than browsers do not ask.")
    )


def note_words(note: str) -> str:
    """Return a sentence about what was odd in the text that was pasted; '' for a note that nobody knows."""
    match note:
        case "domain":
            return _(
                "The host is none of the store's own: this is about the key in the bucket that you chose. "
                "A CDN or a domain of your own follows the bucket's access, not the object's."
            )
        case "path":
            return _(
                "The address has the bucket in its path. New buckets answer only under a host of their own: "
                "use the address below."
            )
        case "fragment":
            return _("What stands after # is never sent. If it belongs to the key, write %23 instead.")
        case _other:
            return ""
