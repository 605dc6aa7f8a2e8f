# SPDX-License-Identifier: GPL-2.0-or-later
"""The unmerged work that a series builds on, found and proven blob by blob."""
