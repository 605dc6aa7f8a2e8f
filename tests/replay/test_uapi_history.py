# SPDX-License-Identifier: GPL-2.0-or-later
"""Real headers of 6.12.8 and 7.1.8: what the comparison says of those that are easily got wrong."""

import platform
from pathlib import Path

from seriestool.check.abi.abi_change import ChangeSeverity
from seriestool.check.abi.allowed_changes import BUILT_IN, downgrade_allowed
from seriestool.check.abi.uapi_comparison import UapiComparer
from seriestool.git import Repository
from tests.support.repos import Repo, shared
from tests.support.sandboxes import a_sandbox

# Each changed a lot, and none of it breaks a program.
GOOD = (
    "linux/blktrace_api.h",  # macros that lost the type they are made with: asked about
    "linux/devlink.h",
    "linux/ethtool_netlink.h",  # its enums moved into a header that is generated
    "linux/if_bonding.h",  # another guard
    "linux/if_xdp.h",
    "linux/io_uring.h",
    "linux/kvm.h",
    "linux/mount.h",  # reserved room was used
    "linux/netfilter/nf_tables.h",
    "linux/nl80211.h",
    "linux/pci_regs.h",
    "linux/rkisp1-config.h",  # structs that go by another name
    "linux/rseq.h",  # a flexible array that marks the end
    "linux/rxrpc.h",
    "linux/snmp.h",
    "linux/tcp.h",
    "linux/virtio_net.h",
    "drm/amdgpu_drm.h",
)
BAD = {
    "linux/if_pppox.h": {"ioctl-removed"},
    "linux/ntsync.h": {"member-removed", "member-moved", "struct-shrunk", "ioctl-changed", "ioctl-removed"},
    "linux/psp-sev.h": {"removed", "enumerator-shifted"},
    "linux/vfio.h": {"removed"},
    "rdma/efa-abi.h": {"removed"},
}


def test_six_releases_of_headers(repo: Repo, tmp_path: Path) -> None:
    repo.git("fetch", "-q", str(shared("data/kernel-subset.bundle")), "refs/tags/*:refs/tags/*")
    old, new = (repo.git("rev-parse", f"{tag}^{{commit}}") for tag in ("v6.12.8", "v7.1.8"))
    paths = [f"include/uapi/{name}".encode() for name in (*GOOD, *BAD)]
    with Repository.open(repo.path) as repository, repository.scratch_repository() as scratch_repo:
        comparer = UapiComparer(scratch_repo, a_sandbox(), tmp_path / "work", 2)
        found = list(
            comparer.compare_headers(
                scratch_repo.tree_of(old), scratch_repo.tree_of(new), paths, platform.machine(), includers=0
            )
        )
    assert [one.unseen for one in found if one.unseen] == []
    breaks = {
        one.name: {
            change.rule
            for change, _ in one.changes
            if downgrade_allowed(one.name, change, BUILT_IN).severity is ChangeSeverity.BREAK
        }
        for one in found
    }
    assert {name: rules for name, rules in breaks.items() if rules} == BAD
    assert set(breaks) <= {*GOOD, *BAD}
    unusable = [one.name for one in found for change, _ in one.changes if change.rule == "macro-unusable"]
    assert unusable == ["linux/blktrace_api.h"]
