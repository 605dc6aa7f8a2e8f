# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks, one file each; what a check is stands in `protocol.py`, which there are in `registry/`."""
