# SPDX-License-Identifier: GPL-2.0-or-later
"""What is checked on a patch, and how: `protocol` is what a check is, `registry` which there are, `rules/` has them."""
