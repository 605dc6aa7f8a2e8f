# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks, one file each, none of which imports another; what a check is stands in `check/protocol.py`."""
