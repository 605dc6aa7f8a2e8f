# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of commit messages: quoted commits, people, trailers and their rules. Text in, values out."""
