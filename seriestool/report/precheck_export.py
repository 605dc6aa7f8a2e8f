# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is known of a series, for other programs: b4's check protocol, and the checks of Patchwork's API.

That no base is known, or that a stand-in for the tree that it is for takes it not, is a warning: it is nobody's fault.
"""

from seriestool.precheck.conclusions import answer_of, intended_tree, is_intended_tree
from seriestool.precheck.precheck_result import Precheck, PrecheckAnswer
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.rebase.rebase_result import PatchResult, TreeResult
from seriestool.report.check_export import PREFIX, b4_items, patchwork_checks
from seriestool.report.rebase_text import outcome_text
from seriestool.report.terminal import printable_line

_LONGEST = 255  # characters of a description in Patchwork
BASE, TREES = f"{PREFIX}base", f"{PREFIX}trees"
_FINE = (PrecheckAnswer.MERGED, PrecheckAnswer.READY, PrecheckAnswer.TO_MEND)


def precheck_b4(precheck: Precheck) -> list[dict[str, str]]:
    """b4's items: the base, the trees, then one for each check."""
    is_sure, how = base_confidence(precheck)
    items = [_item(BASE, "pass" if is_sure else "warn", how)]
    if precheck.matrix is not None:
        items.append(_item(TREES, _state(precheck), verdict_sentence(precheck), "\n".join(_rows(precheck))))
    return [*items, *(b4_items(precheck.checks) if precheck.checks else [])]


def precheck_patchwork(precheck: Precheck) -> list[dict[str, str]]:
    """The bodies of `POST /api/patches/{id}/checks/`, each with the `msgid` of its patch."""
    is_sure, how = base_confidence(precheck)
    bodies = [_body(patch.msgid, BASE, "success" if is_sure else "warning", how) for patch in precheck.series.patches]
    tree = intended_tree(precheck)
    for patch, result in zip(precheck.series.patches, tree.patches if tree else (), strict=False):
        if tree is not None:
            bodies.append(_body(patch.msgid, TREES, _patch_state(precheck, result), _said(tree, result)))
    return [*bodies, *(patchwork_checks(precheck.checks) if precheck.checks else [])]


def _state(precheck: Precheck) -> str:
    if answer_of(precheck) in _FINE:
        return "pass"
    return "fail" if _is_certain(precheck) else "warn"


def _patch_state(precheck: Precheck, result: PatchResult) -> str:
    if result.is_in or answer_of(precheck) in _FINE:
        return "success"
    return "fail" if _is_certain(precheck) else "warning"


def _is_certain(precheck: Precheck) -> bool:
    """Whether it is known what it was made from, and that it conflicts on the very tree that it is for."""
    tree = intended_tree(precheck)
    conflicts = answer_of(precheck) is PrecheckAnswer.CONFLICTS
    return conflicts and tree is not None and base_confidence(precheck)[0] and is_intended_tree(precheck, tree.name)


def _said(tree: TreeResult, result: PatchResult) -> str:
    return f"on {tree.name} ({tree.onto[:12]}): {outcome_text(result)}"


def _rows(precheck: Precheck) -> list[str]:
    trees = precheck.matrix.trees if precheck.matrix else ()
    return [f"patch {result.counter} {_said(tree, result)}" for tree in trees for result in tree.patches]


def _item(tool: str, status: str, summary: str, details: str = "") -> dict[str, str]:
    return {"tool": tool, "status": status, "summary": printable_line(summary), "url": "", "details": details}


def _body(msgid: str, context: str, state: str, description: str) -> dict[str, str]:
    return {
        "msgid": msgid,
        "context": context,
        "state": state,
        "description": printable_line(description)[:_LONGEST],
        "target_url": "",
    }
