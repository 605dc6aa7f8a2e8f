# SPDX-License-Identifier: GPL-2.0-or-later
"""What no namespace keeps inside, refused by a filter of system calls (seccomp(2)).

Keyrings are the caller's; SysV shared memory is nobody's memory that could be counted; vsock sockets lead to the host
of a virtual machine whatever the network namespace; io_uring, bpf and the like are where kernels have had holes.
"""

import os
import struct

from msgspec import Struct

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_ENOSYS, _EAFNOSUPPORT = 38, 97
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data; both machines are little-endian
_X32 = 0x40000000
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: what has namespaces


class _SyscallNumbers(Struct, frozen=True):
    arch: int
    """AUDIT_ARCH_*"""
    socket: int
    refused: tuple[int, ...]
    """add_key, request_key, keyctl, shmget, msgget, bpf, perf_event_open, userfaultfd, io_uring_setup"""


_MACHINES = {
    "x86_64": _SyscallNumbers(0xC000003E, 41, (248, 249, 250, 29, 68, 321, 298, 323, 425)),
    "aarch64": _SyscallNumbers(0xC00000B7, 198, (217, 218, 219, 194, 186, 280, 241, 282, 425)),
}


def make_filter(machine: str | None = None) -> bytes | None:
    """The filter as the kernel takes it, for this machine; None for a machine whose numbers are not known here."""
    known = _MACHINES.get(machine or os.uname().machine)
    if known is None:
        return None
    refuse = _op(_RETURN, _ERRNO | _ENOSYS)
    parts = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, known.arch, 1, 0),
        refuse,  # 32-bit calls have other numbers
        _op(_LOAD, _NUMBER),
        _op(_AT_LEAST, _X32, 0, 1),
        refuse,
    ]
    for number in known.refused:
        parts += [_op(_EQUAL, number, 0, 1), refuse]
    parts += [_op(_EQUAL, known.socket, 1, 0), _op(_RETURN, _ALLOW), _op(_LOAD, _FIRST_ARGUMENT)]
    for family in _FAMILIES:
        parts += [_op(_EQUAL, family, 0, 1), _op(_RETURN, _ALLOW)]
    return b"".join([*parts, _op(_RETURN, _ERRNO | _EAFNOSUPPORT)])


def _op(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
