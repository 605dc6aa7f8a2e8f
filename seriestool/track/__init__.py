# SPDX-License-Identifier: GPL-2.0-or-later
"""Series that somebody keeps an eye on: a folder each, with what is known of it, its mails and its reports."""
