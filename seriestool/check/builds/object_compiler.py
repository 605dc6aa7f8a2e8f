# SPDX-License-Identifier: GPL-2.0-or-later
"""Single objects of a kernel, compiled in a build folder in which nothing else is built.

`make prepare` and the objects that are wanted are a minute once and then seconds; a build of everything would be hours.
That makes the widest configuration affordable.
"""

import os
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.builds.build_workspace import BuildFolder, BuildWorkspace, build_job
from seriestool.check.builds.built_objects import find_built
from seriestool.check.builds.diagnostics import Diagnostic, find_shortage, parse_diagnostics
from seriestool.check.builds.toolchain import Toolchain
from seriestool.sandbox import KillReason, Sandbox, SandboxLimits, SandboxResult
from seriestool.trees.kernel_tree import arch_of_machine

_GB = 1 << 30
_SOURCE = re.compile(r"([A-Za-z0-9_][\w./,+@-]{0,300})\.[cS]")
_CONFIGURE_SECONDS = 1800.0
_LIMITS = SandboxLimits(disk=8 * _GB, processes=400)
# Of `allmodconfig`: what makes compilers slow, needs libraries that are seldom there, or makes errors of warnings.
_LEFT_OUT = """\
    WERROR DRM_WERROR KVM_WERROR OBJTOOL_WERROR KASAN KCSAN KMSAN UBSAN KCOV GCOV_KERNEL GCC_PLUGINS LTO_CLANG
    DEBUG_INFO DEBUG_INFO_BTF MODVERSIONS MODULE_SIG IMA_APPRAISE_MODSIG SAMPLES HEADERS_INSTALL UAPI_HEADER_TEST
    RUST TRIM_UNUSED_KSYMS
"""
_FRAGMENT = "".join(f"# CONFIG_{name} is not set\n" for name in _LEFT_OUT.split()) + "CONFIG_DEBUG_INFO_NONE=y\n"
_CONFIGURE = """\
fragment=$TMPDIR/fragment && printf %s "$1" > "$fragment" && config=$2 && shift 2 || exit 1
make "$@" KCONFIG_ALLCONFIG="$fragment" "$config" && exec make "$@" prepare scripts
"""
# The objects go first: what is up to date would not be compiled again, and its warnings not be seen.
_COMPILE = """\
folder=$1 && shift || exit 1
(cd "$folder" && for object in "$@"; do case $object in *.o) rm -f "./$object";; esac; done)
exec make "$@"
"""


class BuildResult(Struct, frozen=True, kw_only=True):
    """What a build said."""

    diagnostics: frozenset[Diagnostic]
    is_good: bool
    """Whether make was content."""
    ended: KillReason | None
    last: str
    """The last thing that it said, for where nothing else explains it."""
    seconds: float
    shortage: str | None = None
    """What the machine had too little of."""

    @property
    def limit(self) -> str | None:
        """What ended it before it could say anything, or None."""
        return str(self.ended) if self.ended else self.shortage and f"the machine: {self.shortage}"


class ObjectCompiler:
    """Compiles objects of the tree that the site's source is at."""

    def __init__(
        self,
        workspace: BuildWorkspace,
        output: BuildFolder,
        sandbox: Sandbox,
        toolchain: Toolchain,
        config: str,
        jobs: int,
    ) -> None:
        self._workspace = workspace
        self._output = output
        self._sandbox = sandbox
        self._config = config
        self._toolchain = toolchain
        self._arch = arch_of_machine(os.uname().machine)
        self._make = (f"O={output.path}", f"-j{jobs}", "-Otarget", "-k", *toolchain.make_variables)
        self._limits = replace(_LIMITS, memory=(2 + jobs) * _GB, processes=_LIMITS.processes + 50 * jobs)

    def configure(self) -> BuildResult:
        """Make the configuration anew, and what all objects need."""
        argv = ["sh", "-c", _CONFIGURE, "sh", _FRAGMENT, self._config, *self._make]
        return self._judge(self._run(argv, _CONFIGURE_SECONDS, {"TMPDIR": "/tmp"}))  # noqa: S108

    def find_built(self, objects: Iterable[str]) -> frozenset[str]:
        """Those that the configuration builds."""
        return find_built(
            objects=objects,
            run=self.run,
            source=self._workspace.source,
            output=self._output.path,
            arch=self._arch,
            compiler=self._toolchain.compiler,
        )

    def compile(self, objects: Sequence[str]) -> BuildResult:
        """Compile the objects, with W=1."""
        argv = ["sh", "-c", _COMPILE, "sh", str(self._output.path), *self._make, "W=1", *objects]
        return self._judge(self._run(argv, 300.0 + 60.0 * len(objects), {}))

    def run(self, argv: Sequence[str]) -> SandboxResult:
        """Run something that only reads."""
        return self._run(argv, 300.0, {})

    def _run(self, argv: Sequence[str], seconds: float, env: dict[str, str]) -> SandboxResult:
        limits = replace(self._limits, seconds=seconds)
        outcome = self._sandbox.run(
            build_job(workspace=self._workspace, output=self._output, argv=argv, limits=limits, env=env)
        )
        if outcome.ended is KillReason.DISK:
            self._workspace.reset(self._output)
        return outcome

    def _judge(self, outcome: SandboxResult) -> BuildResult:
        text = outcome.stderr.decode("utf-8", "replace")
        source, output = str(self._workspace.source), str(self._output.path)
        roots = (source, output, os.path.relpath(source, output))  # ccache makes paths relative
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("make")]
        last = lines[-1].strip() if lines else "make failed"
        shortage = find_shortage(text) if outcome.code else None
        return BuildResult(
            diagnostics=parse_diagnostics(text, roots),
            is_good=outcome.code == 0,
            ended=outcome.ended,
            last=last,
            seconds=outcome.seconds,
            shortage=shortage,
        )


def object_of(source: str) -> str | None:
    """The object that a source file is compiled to; `a/b.c` -> `a/b.o`.

    None where it is no such file, and where make could take its name for something else.
    """
    found = _SOURCE.fullmatch(source)
    return f"{found[1]}.o" if found else None
