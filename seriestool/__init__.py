# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the base of a mailed patch series, and says why where there is none."""

__version__ = "0.1.0.dev0"
