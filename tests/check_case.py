# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel in small, and a series on it with some of the mistakes that the checks are for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.checks import SIGNED, mail_series
from tests.helpers import File, Repo

MAINTAINERS = """\
List of maintainers

LAMP DRIVER
M:	Lamp Keeper <keeper@example.com>
L:	lamps@example.com
F:	drivers/lamp/
F:	include/uapi/linux/lamp.h

THE REST
M:	The Rest <rest@example.com>
L:	linux-kernel@vger.kernel.org
F:	*
F:	*/
"""
LAMP = """\
// SPDX-License-Identifier: GPL-2.0
int lamp_on(void)
{
	return 1;
}
"""
UAPI = """\
/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_LINUX_LAMP_H
#define _UAPI_LINUX_LAMP_H

enum lamp_state {
	LAMP_OFF,
	LAMP_ON,
};

#endif /* _UAPI_LINUX_LAMP_H */
"""
KERNEL: Mapping[str, File] = {
    "MAINTAINERS": MAINTAINERS,
    "Makefile": "VERSION = 6\n",
    "Documentation/index.rst": "x\n",
    "LICENSES/preferred/GPL-2.0": "Valid-License-Identifier: GPL-2.0\n",
    "arch/x86/Kconfig": "x\n",
    "scripts/checkpatch.pl": "exit 0;\n",
    "include/linux/lamp.h": "/* SPDX-License-Identifier: GPL-2.0 */\n",
    "drivers/lamp/Makefile": "obj-y += lamp.o\n",
    "drivers/lamp/lamp.c": LAMP,
    "include/uapi/linux/lamp.h": UAPI,
}


def signed(subject: str, body: str = "It was wanted.", *trailers: str) -> str:
    """A commit message with a Signed-off-by of the author."""
    return "\n".join([subject, "", body, "", *trailers, SIGNED])


@dataclass(frozen=True, slots=True)
class Kernel:
    """The repository, and the commit that the series says it fixes."""

    repo: Repo
    fixed: str

    def mail(self, *patches: tuple[str, Mapping[str, File]], **options: str) -> Path:
        """A file with the series as it was sent."""
        return self.repo.write("../series.mbox", mail_series(self.repo, *patches, **options))  # type: ignore[arg-type]


def make_kernel(repo: Repo) -> Kernel:
    """Some commits, as a kernel has them."""
    repo.commit(KERNEL, signed("lamp: first light"))
    fixed = repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "2")}, signed("lamp: return two"))
    repo.commit({"drivers/lamp/lamp.c": LAMP.replace("1", "3")}, signed("lamp: return three"))
    return Kernel(repo, fixed)


def make_mistakes(kernel: Kernel) -> Path:
    """Three patches: a Fixes tag with another subject, a new file that nobody owns, and a good one."""
    return kernel.mail(
        (
            signed("lamp: return four", "It returned three.", f'Fixes: {kernel.fixed[:12]} ("lamp: return too")'),
            {"drivers/lamp/lamp.c": LAMP.replace("1", "4")},
        ),
        ("bulb: new driver\n\nIt shines.", {"drivers/bulb/bulb.c": "int bulb;\n"}),
        (signed("lamp: say what it is for"), {"Documentation/lamp.rst": "Lamps\n=====\n"}),
        to="lamps@example.com, keeper@example.com",
    )
