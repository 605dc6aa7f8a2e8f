# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m seriestool`."""

from seriestool.cli.main import run

run()
