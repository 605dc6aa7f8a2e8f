# SPDX-License-Identifier: GPL-2.0-or-later
"""Which checks there are, how grave what they find is (profiles), and how they are run: side by side, answers kept."""
