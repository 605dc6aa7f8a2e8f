# SPDX-License-Identifier: GPL-2.0-or-later
"""What user space sees of a kernel: headers compiled and compared, syscall tables, netlink specifications."""
