# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of a mail, and things that hang together."""

from hypothesis import given
from hypothesis import strategies as st

from seriestool.series.mail import Mail, find_postings
from seriestool.series.mail.mail_summary import mail_of_summary, pack_summary, summarize_mail, unpack_summary
from seriestool.series.mail.posting import change_id_of
from seriestool.util.groups import connected_groups
from tests.support.mails import diff, mail, series


def test_heads_make_the_postings_that_mails_make() -> None:
    raws = [*series("one", 3, change_id="20260601-x-123456789012"), *series("two", 2, version=2, cover=False)]
    raws.append(mail("empty@x", "[PATCH 3/3] nothing", message="why\n---\n-- \n2.39.5"))
    mails = [Mail(raw) for raw in raws]
    heads = [mail_of_summary(unpack_summary(pack_summary(summarize_mail(one, one.has_diff)))) for one in mails]
    for whole, kept in zip(find_postings(mails), find_postings(heads), strict=True):
        assert [one.msgid for one in whole.mails] == [one.msgid for one in kept.mails]
        assert (whole.version, whole.expected, whole.missing) == (kept.version, kept.expected, kept.missing)
        assert change_id_of(whole) == change_id_of(kept)


def test_the_first_and_the_last_references_are_kept() -> None:
    above = " ".join(f"<{n}@x>" for n in range(50))
    head = summarize_mail(Mail(mail("a@x", "[PATCH] f", diff(), headers=f"References: {above}\n")), has_diff=True)
    assert head.references == ("0@x", *(f"{n}@x" for n in range(41, 50)))


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefxyz"), max_size=3)))
def test_lots_are_what_hangs_together(ties: dict[str, list[str]]) -> None:
    lots = connected_groups(ties)
    assert sorted(key for lot in lots for key in lot) == sorted(ties)
    home = {key: place for place, lot in enumerate(lots) for key in lot}
    for one, names in ties.items():
        for other, others in ties.items():
            if other in names or set(names) & set(others):
                assert home[one] == home[other]
