# SPDX-License-Identifier: GPL-2.0-or-later
"""A series on net/handshake of a real kernel: good patches, and ones that do not build, fail a test, and panic.

Written for Linux 6.12; what is replaced has been there since the tests came.
"""

from dataclasses import dataclass

REQUEST = "net/handshake/request.c"
TEST = "net/handshake/handshake-test.c"


@dataclass(frozen=True, slots=True)
class Edit:
    """One patch: in one file, each first text becomes the second."""

    subject: str
    path: str
    changes: tuple[tuple[str, str], ...]

    def undone(self, subject: str) -> "Edit":
        """The patch that takes it back."""
        return Edit(subject, self.path, tuple((new, old) for old, new in self.changes))

    def made(self, text: str) -> str:
        """The text of the file after the patch."""
        for old, new in self.changes:
            assert text.count(old) == 1, f"{self.subject}: {text.count(old)} places in {self.path}"
            text = text.replace(old, new)
        return text


def _edit(subject: str, path: str, old: str, new: str) -> Edit:
    return Edit(subject, path, ((old, new),))


_BOTH = "\tif (!proto->hp_accept || !proto->hp_done)\n\t\treturn NULL;\n"
_ACCEPT = "\tif (!proto->hp_accept)\n\t\treturn NULL;\n"
_DONE = "\tif (!proto->hp_done)\n\t\treturn NULL;\n"
GOOD = _edit("handshake: check each callback on its own", REQUEST, _BOTH, _ACCEPT + _DONE)

_CASES = "static struct kunit_case handshake_api_test_cases[] = {\n"
_LAST = "\t\t.run_case\t\t= handshake_req_destroy_test1,\n\t},\n"
_CASE = '\t{\n\t\t.name\t\t\t= "req_private is in req",\n\t\t.run_case\t\t= handshake_req_private_test1,\n\t},\n'
_FUNCTION = """\
static void handshake_req_private_test1(struct kunit *test)
{
	struct handshake_req *req;

	req = handshake_req_alloc(&handshake_req_alloc_proto_good, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req);
	KUNIT_EXPECT_PTR_EQ(test, handshake_req_private(req), (void *)&req->hr_priv);
	kfree(req);
}

"""
NEW_TEST = Edit(
    "handshake: test where the private data are", TEST, ((_CASES, _FUNCTION + _CASES), (_LAST, _LAST + _CASE))
)

_LIST = "\tINIT_LIST_HEAD(&req->hr_list);\n\treq->hr_proto = proto;\n"
UNBUILDABLE = _edit("handshake: remember when", REQUEST, _LIST, _LIST + "\treq->hr_when = jiffies;\n")
REPAIRED = UNBUILDABLE.undone("handshake: forget when")

FAILING = _edit("handshake: no callback is needed", REQUEST, _ACCEPT + _DONE, _ACCEPT)
PASSING = _edit("handshake: the callback is needed", REQUEST, _ACCEPT, _ACCEPT + _DONE)

_PENDING = "\thn->hn_pending++;\n"
PANICKING = _edit("handshake: count nothing", REQUEST, _PENDING, _PENDING + "\t*(int *)NULL = 0;\n")
CALM = PANICKING.undone("handshake: count what is pending")

SERIES = (GOOD, NEW_TEST, UNBUILDABLE, REPAIRED, FAILING, PASSING, PANICKING, CALM)
