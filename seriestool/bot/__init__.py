# SPDX-License-Identifier: GPL-2.0-or-later
"""The bot. It logs by module; a record that concerns one series has its key as `series`. cli/ says where records go."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())
