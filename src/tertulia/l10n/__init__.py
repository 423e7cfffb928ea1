"""Words for people: English in the source, other languages in gettext catalogues."""

from tertulia.l10n.catalog import _, choose_language, ngettext

__all__ = ["_", "choose_language", "ngettext"]
