"""Words for what can happen to a client: by code, since some of it has no class here.

A code comes with an error, or alone: as the reason of a message that failed, of a
connection that stopped, of a warning. Sentences may name the facts of their error.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tertulia.errors import TertuliaError
from tertulia.l10n import _


class Sentences(NamedTuple):
    """What happened, what is safe, what to do next."""

    happened: str
    safe: str
    next: str


def words_for(error: TertuliaError) -> Sentences | None:
    """Return the sentences for an error, if its code has any here."""
    code, facts = error.code, vars(error)
    if code in _WITH_REASON:
        told = _refusals().get(facts["reason"]) or _refusals()["unknown"]
        return Sentences(*(sentence.format_map(facts) for sentence in told))
    found = _sentences().get(code)
    if found is None:
        return None
    return Sentences(*(sentence.format_map(facts) for sentence in found))


# Errors that say no more than a relay's code.
_WITH_REASON = frozenset({"relay_refused", "message_failed"})


def reason_words(code: str | None) -> str:
    """Return in words what a lone code says, and what to do."""
    told = _refusals().get(code or "") or _alone().get(code or "")
    if told is None:
        return _("The reason is not known to this version ({code}).").format(code=code)
    return f"{told.happened} {told.next}"


def known_codes() -> frozenset[str]:
    """Return all codes that have words here."""
    return frozenset({*_sentences(), *_refusals(), *_alone(), *_WITH_REASON})


def warning_words(code: str, person: str) -> str:
    """Return in words what a warning says."""
    somebody = person or _("somebody")
    told = _warnings().get(code)
    if told is None:
        return _("Something unusual happened ({code}).").format(code=code)
    return told.format(person=somebody)


def _warnings() -> Mapping[str, str]:
    return {
        "head_contradicted": _(
            "WARNING: the relay has signed two histories of this room that contradict "
            "each other. The proof is kept; do not trust this relay."
        ),
        "history_disputed": _(
            "WARNING: {person} has seen another history of this room than you. Either "
            "the relay shows different things, or {person} does not tell the truth."
        ),
        "entry_void": _(
            "Something in this room cannot be opened by anybody; {person} is named as "
            "its sender. Nothing of yours is missing because of it."
        ),
        "handshake_skipped": _(
            "A change of this room by {person} broke its rules and does not count."
        ),
        "entry_altered": _(
            "The relay keeps something else in your name than what you sent. The proof "
            "is kept."
        ),
        "cannot_return": _(
            "The relay does not let you back into this room; it is tried again. Ask a "
            "member for a new link if that goes on."
        ),
        "out_of_step": _(
            "A change of this room did not fit here; you come back by itself."
        ),
        "vault_cloned": _(
            "This profile was copied or restored: the relay knows a later state of it. "
            "It goes on as a new device. Do not use the copy."
        ),
        "update_needed": _(
            "This room follows newer rules than this program knows: update it."
        ),
    }


def _refusals() -> Mapping[str, Sentences]:
    """Return the words for what a relay says no with."""
    unchanged = _("Nothing was changed.")
    kept = _("Nothing was lost.")
    report = _("Update Tertulia on both sides; if that does not help, report it.")
    later = _("It is tried again by itself; or try later.")
    operator = _("Ask the person who runs the relay.")
    return {
        **{
            code: Sentences(
                _("The relay did not understand this program."), kept, report
            )
            for code in ("malformed", "unknown_frame", "unexpected")
        },
        "unsupported_version": Sentences(
            _("The relay and this program speak different versions."),
            kept,
            _("Update the older of the two."),
        ),
        "too_large": Sentences(
            _("That is larger than the relay takes."),
            unchanged,
            _("Send less at once."),
        ),
        "handshake_timeout": Sentences(
            _("The relay waited too long for this program."), kept, later
        ),
        "authentication_failed": Sentences(
            _("The relay does not take this device for who it says it is."),
            unchanged,
            _(
                "Check that nothing stands between you and the relay, like a proxy; "
                "then ask the person who runs it."
            ),
        ),
        "invite_required": Sentences(
            _("This relay takes new accounts only by invite."),
            unchanged,
            _("Ask somebody there for a link."),
        ),
        "invite_invalid": Sentences(
            _(
                "The link does not count any more: it has expired, was used up or revoked."
            ),
            unchanged,
            _("Ask for another link."),
        ),
        "accounts_closed": Sentences(
            _("This relay takes no new accounts."), unchanged, operator
        ),
        "banned": Sentences(
            _("The person who runs the relay has shut this account out."),
            kept,
            operator,
        ),
        "revoked": Sentences(
            _("This device does not count as yours any more."),
            _("What is stored here stays readable."),
            _("Begin a new profile on it and join again."),
        ),
        "cloned": Sentences(
            _("The relay knows a later state of this profile: it is a copy."),
            kept,
            _("Use one copy only; this one goes on as a new device."),
        ),
        "superseded": Sentences(
            _("The same profile has connected from elsewhere."),
            kept,
            _("Use one copy of a profile only."),
        ),
        "not_found": Sentences(
            _("The relay knows no such thing, or not for this device."),
            unchanged,
            _("Ask for a new link and join again."),
        ),
        "not_allowed": Sentences(
            _("The relay does not let you do that."), unchanged, operator
        ),
        "exists": Sentences(
            _("The relay has something of that id already."), unchanged, _("Try again.")
        ),
        **{
            code: Sentences(
                _("This device and the relay do not have the same state."), kept, later
            )
            for code in ("outdated", "behind", "forked", "catch_up")
        },
        "gone": Sentences(
            _("The relay no longer keeps what this device missed."),
            _("What is stored here stays readable."),
            _("This device enters the room anew by itself."),
        ),
        **{
            code: Sentences(
                _("That was too much in too short a time for the relay."), kept, later
            )
            for code in ("wait_turn", "rate_limited")
        },
        "room_full": Sentences(
            _("The room stores as much on the relay as it may."), unchanged, operator
        ),
        "account_full": Sentences(
            _("Your account stores as much on the relay as it may."),
            unchanged,
            operator,
        ),
        "relay_full": Sentences(
            _("The relay's disk is full."),
            _("What it took before is safe."),
            operator,
        ),
        "too_many": Sentences(
            _("There are as many of these as there may be."),
            unchanged,
            _("Remove some first."),
        ),
        **{
            code: Sentences(
                _("A part was damaged on its way."), unchanged, _("Try again.")
            )
            for code in ("blob_mismatch", "blob_incomplete", "ticket_invalid")
        },
        **{
            code: Sentences(_("The relay cannot do that at the moment."), kept, later)
            for code in ("going_away", "tree_needed", "unavailable")
        },
        "unknown": Sentences(_("The relay said no."), unchanged, operator),
    }


def _alone() -> Mapping[str, Sentences]:
    """Return the words for codes that come with a state, not with an error."""
    return {
        code: sentences
        for code, sentences in _sentences().items()
        if not any("{" in sentence for sentence in sentences)
    }


def _sentences() -> Mapping[str, Sentences]:
    """Return the words for errors, by code."""
    return {**_typed(), **_asked(), **_links(), **_profiles(), **_vaults(), **_hosts()}


def _typed() -> Mapping[str, Sentences]:
    """Return the words for what was typed wrongly."""
    unchanged = _("Nothing was changed.")
    again = _("Type it otherwise.")
    return {
        "missing_option": Sentences(
            _("{option} is missing, and there is no terminal to ask at."),
            unchanged,
            _("Add it to the command: {option} VALUE."),
        ),
        "bad_value": Sentences(
            _("{text} is not {wanted}."), unchanged, _("Type it otherwise.")
        ),
        "nothing_named": Sentences(
            _("Nothing here is called {text}."),
            unchanged,
            _("`tertulia rooms` and `tertulia members` show what there is."),
        ),
        "ambiguous_name": Sentences(
            _("{text} could be one of several: {listed}."),
            unchanged,
            _("Type more of the name, or the id."),
        ),
        "unknown_slash_command": Sentences(
            _("There is no command /{name}."),
            _("It was not sent as a text either."),
            _("/help shows what there is; // begins a text with a slash."),
        ),
        "missing_argument": Sentences(
            _("Something is missing: {usage}."), unchanged, _("/help shows what fits.")
        ),
        "bad_name": Sentences(
            _("Nobody can be called so: at most 64 characters, and all visible."),
            unchanged,
            again,
        ),
        "empty_text": Sentences(_("There is nothing to send."), unchanged, again),
        "text_too_long": Sentences(
            _("The text is too long: {size} bytes, of {limit} at most."),
            _("It was not sent, not even in part."),
            _("Shorten it, or send it in parts."),
        ),
        "broken_text": Sentences(
            _("The text holds half a character."), _("It was not sent."), again
        ),
    }


def _asked() -> Mapping[str, Sentences]:
    """Return the words for what could not be done as asked."""
    unchanged = _("Nothing was changed.")
    kept = _("Nothing was lost.")
    look = _("It may still be done: look before you try again.")
    rooms = _("`tertulia rooms` shows what there is.")
    return {
        "relay_not_reached": Sentences(
            _("The relay could not be reached in time."),
            unchanged,
            _("Check the network and that the relay runs, then try again."),
        ),
        "not_member": Sentences(
            _("You are not in that room, or there is no such room."), unchanged, rooms
        ),
        "not_permitted": Sentences(
            _("The rules of the room do not let you do that."),
            unchanged,
            _("Ask an admin of the room."),
        ),
        "no_such_member": Sentences(
            _("Nobody of that account is in the room."),
            unchanged,
            _("`tertulia members` shows who is."),
        ),
        "no_such_invite": Sentences(
            _("The room has no such invite."),
            unchanged,
            _("`tertulia invite ROOM list` shows what there is."),
        ),
        "no_such_message": Sentences(
            _("There is no such message that could be taken back."),
            unchanged,
            _("What the relay has cannot be taken back."),
        ),
        "policy_too_large": Sentences(
            _("The room has too many invites, admins or bans."),
            unchanged,
            _("Revoke invites that are not needed."),
        ),
        "no_ml_kem": Sentences(
            _(
                "The library `cryptography` here cannot do ML-KEM, which rooms need "
                "unless they were made with --large."
            ),
            unchanged,
            _(
                "Update `cryptography` to one built with OpenSSL 3.5 or newer; or use a "
                "room that `tertulia host --large` made."
            ),
        ),
        "no_account_key": Sentences(
            _("This device does not hold the key of your account."),
            unchanged,
            _("Do that on the device where you began."),
        ),
        "no_such_room": Sentences(_("There is no such room."), unchanged, rooms),
        "unknown_message": Sentences(
            _("There is no message with that id here."),
            unchanged,
            _("`tertulia listen --since 0` begins with the first one known."),
        ),
        "no_such_relay": Sentences(
            _("This profile knows no such relay."),
            unchanged,
            _("Join by a link, or start one with `tertulia host`."),
        ),
        "no_relay_known": Sentences(
            _("This profile knows no relay yet."),
            unchanged,
            _("Join by a link, or start one with `tertulia host`."),
        ),
        "ambiguous_relay": Sentences(
            _("This profile knows {count} relays, and it is not clear which is meant."),
            unchanged,
            _("Do it in a conversation on that relay."),
        ),
        "no_answer": Sentences(
            _("There was no answer within {seconds:g} seconds."), kept, look
        ),
        "not_answered": Sentences(
            _("There was no answer within {seconds} seconds."), kept, look
        ),
        "fate_unknown": Sentences(
            _("The other process ended before it answered."), kept, look
        ),
        "bad_invite": Sentences(
            _("Nobody could come by an invite like that."),
            kept,
            _("Let it end in the future, after 1 to 10000 uses."),
        ),
        "asked_again": Sentences(
            _("The same link was used again meanwhile, and that goes on."),
            kept,
            _("Wait for the other one."),
        ),
        "busy": Sentences(
            _("Too much is under way; this was not begun."), kept, _("Try again soon.")
        ),
        "agent_closed": Sentences(
            _("The client was being closed; this was not begun."),
            kept,
            _("Try again."),
        ),
        "still_queued": Sentences(
            _("The relay did not take the message within {seconds:g} seconds."),
            _("It is kept on this machine."),
            _(
                "It goes out by itself as soon as Tertulia runs with this profile and "
                "reaches the relay. Do not send it again."
            ),
        ),
        "listener_behind": Sentences(
            _("This program read too slowly and missed something."),
            kept,
            _("Begin again from the last line: --since ID."),
        ),
    }


def _links() -> Mapping[str, Sentences]:
    """Return the words for links between people, and to relays."""
    unchanged = _("Nothing was changed.")
    another = _("Ask for another link.")
    reach = _(
        "Check the network, that the relay runs, and that its firewall lets the port in."
    )
    distrust = _("What it sent was not used; what you have is unharmed.")
    return {
        "bad_link": Sentences(
            _("That is no link of Tertulia, or a part of it is missing."),
            unchanged,
            _("Copy it again, whole, from https to its end; put it in quotes."),
        ),
        "newer_link": Sentences(
            _("Only a newer version of Tertulia understands that link."),
            unchanged,
            _("Update it."),
        ),
        "link_failed": Sentences(
            _("No connection to {address}."), _("Nothing was lost."), reach
        ),
        "transfer_failed": Sentences(
            _("A part could not be moved to or from the relay."),
            _("Nothing was lost."),
            _("Try again."),
        ),
        "certificate_unreadable": Sentences(
            _("What answers there shows no certificate that can be read."),
            distrust,
            reach,
        ),
        "wrong_relay": Sentences(
            _("What answers there is not the relay that the link names."),
            _("Nothing was sent to it."),
            _(
                "Either another relay is there now, and you need a new link, or somebody "
                "stands in between."
            ),
        ),
        "invite_does_not_fit": Sentences(
            _("What the relay shows is not the room that the link names."),
            distrust,
            another,
        ),
        "too_many_devices": Sentences(
            _("The room is full: it takes {most} devices."),
            _("Nothing was changed."),
            _(
                "Come when somebody has left; or ask for a room for more, which "
                "`tertulia host --large` makes."
            ),
        ),
        "room_unreadable": Sentences(
            _("The room cannot be followed from here."),
            _("What is stored here stays readable."),
            _("Ask for a new link and join again."),
        ),
        "update_needed": Sentences(
            _("The room follows newer rules than this program knows."),
            _("What is stored here stays readable."),
            _("Update Tertulia."),
        ),
    }


def _profiles() -> Mapping[str, Sentences]:
    """Return the words for the profile and the process that holds it."""
    kept = _("Nothing was lost.")
    end = _("End that process, then try again.")
    return {
        "name_needed": Sentences(
            _("The profile is new and needs a name for you."),
            _("Nothing was changed."),
            _("Add --name NAME."),
        ),
        "no_room": Sentences(
            _("You are in no room yet."),
            _("Nothing was changed."),
            _("`tertulia host` makes one, `tertulia join LINK` enters one."),
        ),
        "no_profile": Sentences(
            _("There is no profile in {path} yet."),
            _("Nothing was changed."),
            _("`tertulia host` or `tertulia join LINK` begins one."),
        ),
        "profile_folder": Sentences(
            _("The profile's folder cannot be used: {path}: {reason}"),
            _("Nothing was changed."),
            _("Check who owns it, or choose another with --profile."),
        ),
        "profile_busy": Sentences(
            _("Another process holds the profile {path} and does not answer."),
            kept,
            end,
        ),
        "other_version": Sentences(
            _("Another version of Tertulia holds this profile."), kept, end
        ),
        "holder_gone": Sentences(
            _("The process that held this profile has ended."), kept, _("Try again.")
        ),
        "bad_call": Sentences(
            _("Another process of this profile said something incomprehensible."),
            kept,
            end,
        ),
    }


def _vaults() -> Mapping[str, Sentences]:
    """Return the words for the encrypted store."""
    untouched = _("It was not changed.")
    backup = _(
        "Bring back a copy of the folder, or begin a new profile with --profile."
    )
    return {
        "vault_missing": Sentences(_("{path} is missing."), untouched, backup),
        "vault_exists": Sentences(
            _("{path} is there already."),
            _("It was not overwritten."),
            _("Choose another folder with --profile."),
        ),
        "vault_in_use": Sentences(
            _("{path} is in use by another process."),
            untouched,
            _("End that process, then try again."),
        ),
        "vault_wrong_key": Sentences(
            _("{path} does not open with the key that belongs to it."),
            untouched,
            backup,
        ),
        "vault_wrong_passphrase": Sentences(
            _("That is not the passphrase of this profile."),
            untouched,
            _("Try again; nobody can replace a forgotten one."),
        ),
        "vault_locked": Sentences(
            _("This profile is locked: {path}."),
            untouched,
            _("Unlock the system's keyring, or type the passphrase at a terminal."),
        ),
        "vault_damaged": Sentences(
            _("{path} is damaged: {reason}."), untouched, backup
        ),
        "vault_newer": Sentences(
            _("{path} was written by a newer version of Tertulia."),
            untouched,
            _("Update it."),
        ),
        "vault_storage": Sentences(
            _("{path} cannot be read or written: {reason}."),
            _("What was stored before is safe."),
            _("Check that the disk has room and that the folder is yours."),
        ),
        "vault_key_exposed": Sentences(
            _("Other users of this machine may read the key in {path}."),
            untouched,
            _("Take that from them: chmod 600; then think about who may have read it."),
        ),
        "keyring": Sentences(
            _("The system's keyring cannot be used: {reason}."),
            untouched,
            _("Unlock it, or keep the key elsewhere with `tertulia lock`."),
        ),
        "empty_passphrase": Sentences(
            _("An empty passphrase protects nothing."), untouched, _("Type one.")
        ),
    }


def _hosts() -> Mapping[str, Sentences]:
    """Return the words for the relay that a host starts."""
    return {
        "relay_ended": Sentences(
            _("The relay has ended by itself (exit code {exit_code})."),
            _("What it had stored is safe."),
            _("Start it again with `tertulia host`; {log} may say why it ended."),
        ),
        "cannot_listen": Sentences(
            _("Port {port} cannot be listened on: {reason}."),
            _("Nothing was started."),
            _("Choose another one: --listen :8001."),
        ),
        "store_in_use": Sentences(
            _("Another process has the relay's store open: {path}."),
            _("Nothing was started."),
            _("End that process, or choose another folder with --data."),
        ),
    }
