from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import Person
from apps.accounts.services import administrator_ensure, person_create, sign_in_link_create


class Command(BaseCommand):
    help = "Print the path of a link that signs a person in once; without a name, the administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", help="whom the link is for")
        parser.add_argument("--new", action="store_true", help="create the person first")
        parser.add_argument("--administrator", action="store_true", help="with --new: may reach everything")

    def handle(self, *args: Any, **options: Any) -> None:
        person = self.person_named(options) if options["username"] else administrator_ensure()
        self.stdout.write(sign_in_link_create(person))

    def person_named(self, options: dict[str, Any]) -> Person:
        name = options["username"]
        if options["new"]:
            try:
                return person_create(username=name, is_administrator=options["administrator"])
            except ValidationError as error:
                raise CommandError(" ".join(error.messages)) from None
        person = Person.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody is called {name!r}. Add --new to create this person.")
        return person
