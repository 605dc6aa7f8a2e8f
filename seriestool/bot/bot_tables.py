# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bot remembers, as tables of SQLite or Postgres. Times are unix seconds, UTC.

What must not happen twice has a primary key that says what it is: a mail, a series, a thing said.
"""

from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()
"""All tables as this program wants them; what changes here needs a step in bot.migrations."""


class SeriesState(StrEnum):
    """Where a series stands."""

    WAITING = "waiting"
    """Complete, and not admitted yet: its turn comes when the bounds let it."""
    INCOMPLETE = "incomplete"
    """Patches of it never came; it is not looked at."""
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Tried as often as may be; `error` says why, `bot retry` tries again."""
    SUPERSEDED = "superseded"
    """A newer version came before its turn did."""


class MessageState(StrEnum):
    """Where a message to the outside stands."""

    DECIDED = "decided"
    SENDING = "sending"
    """Recorded before anything goes out. Found so after a crash it becomes unknown: at most one message."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have gone out: a person looks, nobody sends it again."""
    FAILED = "failed"
    """Refused for good, or withdrawn; `error` says why."""


cursors = Table(
    "cursors",
    metadata,
    Column("list", String(100), primary_key=True),
    Column("position", Text, nullable=False),  # how far it was read, in the words of the source
    Column("read_at", BigInteger, nullable=False),
    Column("error", Text),  # why it could not be read the last time
)

mails = Table(
    "mails",
    metadata,
    Column("msgid", String(1000), primary_key=True),
    Column("list", String(100), nullable=False),  # the first of ours on which it was seen
    Column("seen", BigInteger, nullable=False),  # when the list had it
    Column("posted", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("is_patch", Integer, nullable=False),  # a patch or a cover letter: 1; what answers them: 0
    Column("series", String(40)),  # the key of the complete series that it belongs to
    Column("head", Text, nullable=False),  # JSON of mail.head: what assembling needs of a mail that is not read again
    Column("sender_name", Text, nullable=False),
    Column("patch_id", String(40)),  # git's stable one, where there is one
    Column("hints", Text),  # words: what the mail says of itself, see bot.intake.mailrow
    Column("due", BigInteger),  # when assembling must look at it; NULL: not before another mail comes
    Column("raw", LargeBinary),  # zlib; NULL of mails that are no patches, and once it is not needed any more
)
Index("mails_by_seen", mails.c.seen)
Index("mails_by_series", mails.c.series)
Index("mails_by_sender", mails.c.sender, mails.c.posted)
Index("mails_by_due", mails.c.due)

links = Table(  # which mails that are no replies stand below which others
    "links",
    metadata,
    Column("parent", String(1000), primary_key=True),
    Column("child", String(1000), primary_key=True),
)
Index("links_by_child", links.c.child)

series = Table(
    "series",
    metadata,
    Column("key", String(40), primary_key=True),  # hex digest of the first mail's msgid and the version
    Column("lineage", String(40), nullable=False),  # the same for all versions of a work
    Column("list", String(100), nullable=False),
    Column("msgid", String(1000), nullable=False),
    Column("version", Integer, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author", Text, nullable=False),  # address, lower case
    Column("posted", BigInteger, nullable=False),
    Column("found", BigInteger, nullable=False),  # when it was complete, or given up on
    Column("state", String(20), nullable=False),
    Column("admitted", BigInteger),
    Column("finished", BigInteger),
    Column("tries", Integer, nullable=False, default=0),
    Column("rounds", Integer, nullable=False, default=0),  # how often a person asked for it to be tried again
    Column("worker", String(100)),
    Column("error", Text),
    Column("has_cover", Integer, nullable=False, default=0),
    Column("change_id", Text),
    Column("hints", Text),  # words of its first mail, see bot.intake.mailrow.find_hints; `partial`: see bot.assembly
    Column("work", Text, nullable=False, default="{}"),  # JSON: what versions have in common, see bot.kinship
    Column("superseded_by", String(40)),  # key of the newer version
)
Index("series_by_state", series.c.state, series.c.found)
Index("series_by_lineage", series.c.lineage)
Index("series_by_posted", series.c.posted)
Index("series_by_author", series.c.author, series.c.posted)
Index("series_by_change_id", series.c.change_id)
Index("series_by_msgid", series.c.msgid)

reports = Table(
    "reports",
    metadata,
    Column("key", String(40), primary_key=True),  # of the series
    Column("made", BigInteger, nullable=False),
    Column("answer", String(20), nullable=False),  # precheck.value.Answer
    Column("sentence", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON of bot.facts.Facts
    Column("document", LargeBinary, nullable=False),  # zlib of the JSON of the precheck
    Column("page", LargeBinary, nullable=False),  # zlib of the HTML
    Column("decision", Text),  # what is said of it and why the rest is not, a line each
)

sayings = Table(
    "sayings",
    metadata,
    Column("id", String(40), primary_key=True),  # digest of what it is about, by which channel, at which state
    Column("key", String(40), nullable=False),
    Column("lineage", String(40), nullable=False),
    Column("channel", String(20), nullable=False),  # draft, author, all, patchwork
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False),  # why it is said
    Column("said", Text, nullable=False),  # JSON: identities of the complaints in it
    Column("message", LargeBinary, nullable=False),  # what goes out, byte for byte
    Column("msgid", String(1000), nullable=False),
    Column("decided", BigInteger, nullable=False),
    Column("claimed", BigInteger),  # when the sending of it began the last time
    Column("sent", BigInteger),
    Column("error", Text),
    Column("author", Text, nullable=False, default=""),  # address, lower case: how much one person gets is bounded
    Column("version", Integer, nullable=False, default=0),  # of the series
)
Index("sayings_by_decided", sayings.c.decided)
Index("sayings_by_lineage", sayings.c.lineage)
Index("sayings_by_key", sayings.c.key)

workers = Table(
    "workers",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("token", String(40), nullable=False),  # of the process that has the name
    Column("beats", BigInteger, nullable=False, default=0),  # it lives while this grows: clocks of machines differ
    Column("seen", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),  # of what one worker at a time does
    Column("token", String(40), nullable=False),  # of the worker; worth nothing once it is not among `workers`
)

schema_versions = Table(
    "schema_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),  # the largest one is that of the tables
    Column("migrated", BigInteger, nullable=False),
    Column("program", String(40), nullable=False),  # version of the program that did it
)
