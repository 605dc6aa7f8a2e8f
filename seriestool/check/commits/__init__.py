# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that messages speak of: quoted, blamed, carried on; asked of the history and the trees."""
