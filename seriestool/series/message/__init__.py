# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of commit messages: trailers, people, the grammar of Fixes and Cc: stable. Text in, values out."""
