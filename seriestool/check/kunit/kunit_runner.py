# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tree's own kunit.py under UML: `config`, `build` and `exec` apart, so that one sees which of them fails.

kunit.py ends with 1 in every case. Its reading of the results is left out (`--raw_output`): it belongs to the tree,
which a patch may change, and it loses suites whose names have spaces when it lists them.
"""

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from seriestool.check.builds import BuildFolder, BuildWorkspace, build_job
from seriestool.check.builds.diagnostics import find_shortage
from seriestool.check.kunit.kunit_outcome import KunitStage, Transcript
from seriestool.sandbox import KillReason, Sandbox, SandboxJob, SandboxLimits, SandboxResult
from seriestool.util.errors import SeriestoolError
from seriestool.util.files import write_whole

KUNIT = b"tools/testing/kunit/kunit.py"
_VERSION = 1
_UNSOLVED = 3  # as solve_kconfig.py ends
_MAX_MADE = 1 << 16
_KEPT = 400  # transcripts
_MAX_KEPT = 4 << 20  # bytes of one; cut off, it would be that of another kernel
_GB = 1 << 30
_CONFIG = SandboxLimits(seconds=300, memory=4 * _GB, processes=400)
# UML's memory is one file, as large as the memory that its kernel is given and with holes in it.
_EXEC_SECONDS = 300  # kunit.py's own
_EXEC = SandboxLimits(seconds=_EXEC_SECONDS + 60, memory=4 * _GB, processes=400, file_size=4 * _GB, disk=4 * _GB)
_COLD = SandboxLimits(seconds=2 * 3600, memory=8 * _GB, processes=800, file_size=4 * _GB, disk=20 * _GB)
_TIMED_OUT = re.compile(rb"timed out after \d+ seconds")
# LANG too: the kernel's Makefile drops LC_ALL, and compilers then quote as the language does.
_ENV = {"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "1", "TERM": "dumb"}


class LimitError(SeriestoolError):
    """There was too little memory, disk or the like: nothing is known of what was asked."""


class KunitSetup(Struct, frozen=True, kw_only=True):
    """What kernels are built and run with."""

    workspace: BuildWorkspace
    sandbox: Sandbox
    make_variables: tuple[str, ...]
    toolchain: str
    """The compiler's version, of which results depend."""
    jobs: int
    kept: Path
    """The folder for what is kept: transcripts and generated configurations."""
    report: Callable[[str], None]


class KunitSetting(Struct, frozen=True):
    """A configuration as kunit.py is given it."""

    slug: str
    """Names its build folder."""
    kunitconfig: str
    """A path in the tree, or of a file of ours."""
    text: bytes | None = None
    """What the file of ours says."""

    @property
    def own_file(self) -> tuple[Path, ...]:
        """The file of ours, which the sandbox must show."""
        return (Path(self.kunitconfig),) if self.text is not None else ()


def find_transcript(setup: KunitSetup, tree: str, setting: KunitSetting) -> Transcript | None:
    """What is kept of an earlier run of this configuration of this tree."""
    from seriestool.check.kunit.kunit_outcome import parse_transcript

    try:
        return parse_transcript(_kept_file(setup, tree, setting).read_bytes())
    except OSError:
        return None


def run_tests(setup: KunitSetup, tree: str, setting: KunitSetting) -> Transcript:
    """What became of the tree with this configuration; kept for the next time where that is worth it."""
    output = setup.workspace.output(setting.slug)
    setup.workspace.move_to(tree)
    transcript = _run(setup, output, setting)
    keep_transcript(setup, tree, setting, transcript)
    return transcript


def _is_worth_keeping(transcript: Transcript) -> bool:
    """Not where it may be for the machine that there are no results, nor where there is too much of it."""
    if len(transcript.output) > _MAX_KEPT:
        return False
    if transcript.stage is KunitStage.EXEC:
        return b"KTAP version" in transcript.output
    return not transcript.is_over_time


def run_again(setup: KunitSetup, setting: KunitSetting) -> Transcript:
    """What the kernel that was built last says when it is run once more."""
    return _exec(setup, setup.workspace.output(setting.slug), setting)


def _run(setup: KunitSetup, output: BuildFolder, setting: KunitSetting) -> Transcript:
    started = monotonic()
    configured = _kunit(setup=setup, output=output, setting=setting, verb="config", limits=_CONFIG)
    if configured.code:
        return _transcript(
            setup=setup,
            output=output,
            stage=KunitStage.CONFIG,
            printed=configured.stdout + configured.stderr,
            is_over_time=bool(configured.ended),
        )
    built = _kunit(setup, output, setting, "build", _COLD, f"--jobs={setup.jobs}")
    if built.ended:
        output.discard()  # what was written last may be half a file
        return _transcript(setup=setup, output=output, stage=KunitStage.BUILD, printed=built.stderr, is_over_time=True)
    if built.code:
        return _transcript(setup, output, KunitStage.BUILD, built.stderr)
    output.record_time(monotonic() - started)
    return _exec(setup, output, setting)


def _exec(setup: KunitSetup, output: BuildFolder, setting: KunitSetting) -> Transcript:
    ran = _kunit(setup, output, setting, "exec", _EXEC, "--raw_output=all", f"--timeout={_EXEC_SECONDS}")
    if len(ran.stdout) >= _EXEC.output:
        raise LimitError(f"the kernel prints more than {_EXEC.output >> 20} MB")
    is_over_time = bool(ran.ended) or _TIMED_OUT.search(ran.stdout[-2000:]) is not None
    return _transcript(setup=setup, output=output, stage=KunitStage.EXEC, printed=ran.stdout, is_over_time=is_over_time)


def _transcript(
    setup: KunitSetup, output: BuildFolder, stage: KunitStage, printed: bytes, is_over_time: bool = False
) -> Transcript:
    if stage is not KunitStage.EXEC and (shortage := find_shortage(printed.decode("utf-8", "replace"))):
        raise LimitError(f"the {stage} failed, and not for what is in the tree: {shortage}")
    return Transcript(
        stage=stage,
        output=printed,
        is_over_time=is_over_time,
        source=str(setup.workspace.source),
        build=str(output.path),
    )


def _kunit(
    setup: KunitSetup, output: BuildFolder, setting: KunitSetting, verb: str, limits: SandboxLimits, *options: str
) -> SandboxResult:
    argv = [
        "python3",
        os.fsdecode(KUNIT),
        verb,
        f"--build_dir={output.path}",
        f"--kunitconfig={setting.kunitconfig}",
        *(f"--make_options={variable}" for variable in setup.make_variables),
        *options,
    ]
    job = build_job(workspace=setup.workspace, output=output, argv=argv, limits=limits, env=_ENV)
    outcome = setup.sandbox.run(replace(job, readable=(*job.readable, *setting.own_file)))
    if outcome.ended is KillReason.DISK:
        setup.workspace.reset(output)
    return _checked(job, outcome)


def _checked(job: SandboxJob, outcome: SandboxResult) -> SandboxResult:
    if outcome.ended is not None and outcome.ended != "time":
        raise LimitError(f"'{Path(job.argv[0]).name}' was ended: it used too much {outcome.ended}")
    return outcome


def tree_setting(path: bytes) -> KunitSetting:
    """The setting of a `.kunitconfig` of the tree."""
    return KunitSetting(f"kunit-{_digest(path)}", os.fsdecode(path))


def make_setting(setup: KunitSetup, tree: str, options: Sequence[str]) -> KunitSetting | str:
    """The setting of a configuration that has these options, made for the tree; in one line why there can be none."""
    kept = setup.kept / f"{_digest(repr((_VERSION, tree, tuple(options))).encode())}.solved"
    if not kept.exists():
        setup.workspace.move_to(tree)
        outcome = _solve(setup, options)
        if outcome.ended or outcome.code not in (0, _UNSOLVED):
            said = outcome.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
            return f"kconfiglib does not read this tree's Kconfig: {said or 'it does not say why'}"
        write_whole(kept, b"%d\n%s" % (outcome.code, outcome.stdout[:_MAX_MADE]))
    code, _, text = kept.read_bytes().partition(b"\n")
    if code != b"0":
        return text.decode("utf-8", "replace").strip()[:400]
    file = setup.kept / f"{_digest(text)}.kunitconfig"
    write_whole(file, text)
    return KunitSetting(f"kunit-{_digest(text)}", str(file), text)


def _solve(setup: KunitSetup, options: Sequence[str]) -> SandboxResult:
    library = importlib.util.find_spec("kconfiglib")
    if library is None or library.origin is None:
        raise SeriestoolError("kconfiglib is not installed", hint="pip install kconfiglib")
    program, module = Path(__file__).with_name("solve_kconfig.py"), Path(library.origin)
    env = {**_ENV, "PYTHONPATH": str(module.parent)}
    argv = ["python3", str(program), str(setup.workspace.source), *options]
    folder = setup.workspace.source
    job = SandboxJob(argv=argv, folder=folder, readable=(folder, program, module), writable=(), env=env, limits=_CONFIG)
    return _checked(job, setup.sandbox.run(job))


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def _kept_file(setup: KunitSetup, tree: str, setting: KunitSetting) -> Path:
    what = (str(_VERSION), tree, setting.text.decode() if setting.text else setting.kunitconfig, setup.toolchain)
    return setup.kept / f"{hashlib.sha256(repr(what).encode()).hexdigest()[:40]}.run"


def keep_transcript(setup: KunitSetup, tree: str, setting: KunitSetting, transcript: Transcript) -> None:
    """Keep it for `find_transcript`, if it is worth that."""
    if not _is_worth_keeping(transcript):
        return
    write_whole(_kept_file(setup, tree, setting), transcript.to_bytes())
    kept = sorted(setup.kept.glob("*.run"), key=lambda path: path.stat().st_mtime, reverse=True)
    _remove(kept[_KEPT:])


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
