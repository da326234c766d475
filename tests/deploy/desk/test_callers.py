"""Who runs a command is known from the operating system or a token, and from nothing that a command could claim."""

from __future__ import annotations

import hashlib
import os
import pwd
from pathlib import Path

import pytest

from deploy.desk.callers import Caller, caller, system_user
from deploy.desk.persons import Ruler, roles_of, ruler_of
from routing.agreements.model import Person, RoleHolders
from schemas.errors import Rejected
from tests.routing.agreements.conftest import a_bundle

TOKEN = "0123456789abcdef0123456789abcdef"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()
ME = pwd.getpwuid(os.getuid()).pw_name

BUNDLE = a_bundle(
    roles=(
        RoleHolders("duty-inspector", "north", ("inspector.smith", "jones", "both")),
        RoleHolders("force-incident-manager", "north", ("fim.lee", "both")),
        RoleHolders("duty-inspector", "south", ("abroad",)),
    ),
    people=(
        Person("inspector.smith", "A. Smith", user="asmith", token_sha256=DIGEST),
        Person("fim.lee", token_sha256=OTHER),
    ),
)


def refusal(*arguments: object, **others: object) -> Rejected:
    with pytest.raises(Rejected) as refused:
        ruler_of(*arguments, **others)  # type: ignore[arg-type]
    return refused.value


class TestCallers:
    def test_without_a_token_it_is_the_operating_systems_user_whatever_the_environment_claims(self, monkeypatch):
        for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME"):
            monkeypatch.setenv(name, "asmith")
        monkeypatch.delenv("HUECRY_TOKEN", raising=False)
        assert caller(None) == Caller(ME)
        assert caller(None).authenticated_by == "os-user"
        assert caller(None).reader == ME

    def test_a_user_without_a_name_is_refused_and_never_taken_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("USER", "asmith")
        monkeypatch.setattr(os, "getuid", lambda: 3_999_999)
        with pytest.raises(Rejected, match="no name for the user"):
            system_user()

    def test_a_token_comes_from_a_file_or_the_environment_and_only_its_digest_is_kept(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text(f"{TOKEN}\n")
        file.chmod(0o600)
        for found in (caller(file, {}), caller(None, {"HUECRY_TOKEN": TOKEN})):
            assert found == Caller(ME, DIGEST)
            assert found.authenticated_by == "token"
            assert found.reader == f"{ME} (token {DIGEST[:12]})"
            assert TOKEN not in repr(found)

    @pytest.mark.parametrize("token", ["", "short", "x" * 31])
    def test_a_token_that_could_be_guessed_is_refused_and_never_shown(self, token: str):
        with pytest.raises(Rejected, match=f"at least 32 characters in HUECRY_TOKEN, got {len(token)}") as refused:
            caller(None, {"HUECRY_TOKEN": token})
        assert not token or token not in str(refused.value).replace("HUECRY_TOKEN", "")

    def test_a_token_file_that_everybody_may_read_is_refused(self, tmp_path: Path):
        file = tmp_path / "token"
        file.write_text(TOKEN)
        file.chmod(0o644)
        with pytest.raises(Rejected, match="everybody may read") as refused:
            caller(file, {})
        assert "chmod 600" in refused.value.remedy

    def test_a_token_file_that_is_not_there_is_refused_and_the_user_does_not_count_instead(self, tmp_path: Path):
        with pytest.raises(Rejected, match="expected a file with a token"):
            caller(tmp_path / "none", {})


class TestPersons:
    def test_a_user_is_the_person_whose_entry_says_so(self):
        assert ruler_of(BUNDLE, "north", Caller("asmith")) == Ruler(
            "inspector.smith", "A. Smith", "duty-inspector", "os-user"
        )

    def test_a_holder_without_an_entry_is_the_user_of_that_name(self):
        assert ruler_of(BUNDLE, "north", Caller("jones")).person == "jones"

    def test_a_holder_with_an_entry_is_no_longer_the_user_of_that_name(self):
        assert refusal(BUNDLE, "north", Caller("inspector.smith")).reason == "unknown-person"

    def test_a_token_is_the_person_who_has_it_whoever_the_user_is(self):
        found = ruler_of(BUNDLE, "north", Caller("control-room", DIGEST))
        assert (found.person, found.authenticated_by) == ("inspector.smith", "token")

    def test_a_token_that_nobody_has_is_nobody_even_where_the_user_is_somebody(self):
        refused = refusal(BUNDLE, "north", Caller("jones", "f" * 64))
        assert refused.reason == "unknown-person"
        assert "the token shown is nobody" in str(refused)

    def test_an_empty_digest_never_meets_a_person_without_a_token(self):
        assert ruler_of(BUNDLE, "north", Caller("jones", "")).person == "jones"
        assert refusal(BUNDLE, "north", Caller("nobody", "")).reason == "unknown-person"

    def test_a_stranger_is_told_what_to_do(self):
        refused = refusal(BUNDLE, "north", Caller("stranger"))
        assert "user stranger of the operating system is nobody who holds a role" in str(refused)
        assert "policy desk" in refused.remedy

    def test_roles_are_those_at_the_force_and_at_no_other(self):
        assert roles_of(BUNDLE, "abroad", "south") == ("duty-inspector",)
        assert refusal(BUNDLE, "north", Caller("abroad")).reason == "no-role"

    def test_a_role_that_is_not_held_is_refused_with_those_that_are(self):
        refused = refusal(BUNDLE, "north", Caller("asmith"), "force-incident-manager")
        assert refused.reason == "not-in-role"
        assert "you hold duty-inspector" in str(refused)

    def test_of_several_roles_the_person_says_which_unless_only_one_may_rule_here(self):
        refused = refusal(BUNDLE, "north", Caller("both"))
        assert refused.reason == "which-role"
        assert "--role duty-inspector" in refused.remedy
        assert ruler_of(BUNDLE, "north", Caller("both"), "force-incident-manager").role == "force-incident-manager"
        assert ruler_of(BUNDLE, "north", Caller("both"), None, {"force-incident-manager"}).role == (
            "force-incident-manager"
        )
        both = {"force-incident-manager", "duty-inspector"}
        assert refusal(BUNDLE, "north", Caller("both"), None, both).reason == "which-role"

    def test_one_role_is_taken_even_where_it_may_not_rule_so_that_the_router_says_why(self):
        assert ruler_of(BUNDLE, "north", Caller("asmith"), None, {"superintendent"}).role == "duty-inspector"
