# SPDX-License-Identifier: GPL-2.0-or-later
"""All that is known of a series as one JSON object: the parts, and what they come to."""

from seriestool.base.prerequisites.prerequisite_results import PrerequisiteResult
from seriestool.precheck.conclusions import answer_of
from seriestool.precheck.precheck_result import Precheck
from seriestool.precheck.summary_sentence import base_confidence, verdict_sentence
from seriestool.series.model import SCHEMA


def precheck_dict(precheck: Precheck) -> dict[str, object]:
    """The whole as JSON shows it; every key is always there."""
    is_sure, how = base_confidence(precheck)
    prerequisites = precheck.prerequisites or PrerequisiteResult()
    return {
        "schema": SCHEMA,
        "answer": str(answer_of(precheck)),
        "sentence": verdict_sentence(precheck),
        "sure": is_sure,
        "how": how,
        "series": precheck.series.to_dict(),
        "base": precheck.verdict.to_dict(),
        **prerequisites.to_dict(),
        "matrix": precheck.matrix.to_dict() if precheck.matrix else None,
        "split": precheck.plan.to_dict() if precheck.plan else None,
        "checks": precheck.checks.to_dict() if precheck.checks else None,
        "timeline": precheck.timeline.to_dict() if precheck.timeline else None,
        "versions": [version.to_dict() for version in precheck.versions],
        "suggestions": [one.to_dict() for one in precheck.suggestions],
        "steps": [step.to_dict() for step in precheck.steps],
    }
