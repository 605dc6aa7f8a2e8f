# SPDX-License-Identifier: GPL-2.0-or-later
"""KUnit: which suites a patch can break, how they are built and run, and what their results say (KTAP)."""
