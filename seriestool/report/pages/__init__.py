# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages of HTML that need nothing from elsewhere: what stands on them as values, and the templates that write them."""
