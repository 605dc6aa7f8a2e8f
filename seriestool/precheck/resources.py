# SPDX-License-Identifier: GPL-2.0-or-later
"""What stays open from series to series, with the answers of steps that were kept."""

from functools import cached_property

from seriestool.precheck.step_cache import StepCache
from seriestool.session import SessionResources


class PrecheckResources(SessionResources):
    """One repository with all that the steps work with; to be closed."""

    @cached_property
    def steps(self) -> StepCache | None:
        """The answers of steps of earlier runs; None where they are not wanted, or cannot be kept."""
        return self.open_cache(StepCache.open)
