# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that try to get out of the sandbox."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seriestool.sandbox import Bubblewrap, SandboxJob, SandboxLimits, SandboxResult

Inside = Callable[..., SandboxResult]
SECRET = "the-secret-of-this-test"  # noqa: S105


@pytest.fixture
def home(sealed: Path) -> Path:
    (sealed / ".ssh").mkdir()
    (sealed / ".ssh/id_ed25519").write_text(SECRET)
    (sealed / ".netrc").write_text(SECRET)
    return sealed


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def python(code: str, *arguments: object) -> str:
    return shlex.join(["python3", "-c", code, *map(str, arguments)])


def test_a_key_in_the_home_folder_is_not_there(inside: Inside, home: Path) -> None:
    answer = inside(f"cat {home}/.ssh/id_ed25519 {home}/.netrc; ls -a {home} ~ /home /root")
    assert SECRET.encode() not in answer.stdout
    assert b"id_ed25519" not in answer.stdout
    assert answer.code != 0


def test_nothing_is_found_by_a_search_of_all_that_is_there(inside: Inside, home: Path) -> None:
    answer = inside("find / -xdev -name id_ed25519 -o -xdev -name shadow; find / -name .ssh -not -path '/proc/*'")
    assert answer.stdout == b""


@pytest.mark.parametrize("file", ["/etc/shadow", "/etc/hostname", "/var/lib", "/run", "/sys", "/boot", "/root"])
def test_the_machine_s_own_is_not_there(inside: Inside, file: str) -> None:
    assert inside(f"test -e {file}").code == 1


def test_only_made_up_people_are_in_passwd(inside: Inside) -> None:
    assert inside("cut -d: -f1 /etc/passwd; id -un").stdout.split() == [b"root", b"builder", b"builder"]


def test_it_is_not_root_inside_and_has_no_capabilities(inside: Inside) -> None:
    assert inside("id -u").stdout == b"1000\n"
    assert b"CapEff:\t0000000000000000" in inside("cat /proc/self/status").stdout
    assert b"CapBnd:\t0000000000000000" in inside("cat /proc/self/status").stdout


def test_the_environment_is_empty_even_in_proc(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", SECRET)
    answer = inside("env; cat /proc/*/environ", env={"GIVEN": "value"})
    assert SECRET.encode() not in answer.stdout
    assert b"GIVEN=value" in answer.stdout
    names = {line.partition(b"=")[0] for line in inside("env").stdout.splitlines()}
    assert names <= {b"PATH", b"HOME", b"LANG", b"PWD", b"OLDPWD", b"_", b"SHLVL"}


@pytest.mark.parametrize("folder", ["/usr/bin", "/usr/lib", "/etc", "/", "/dev", "/bin"])
def test_the_system_is_read_only(inside: Inside, folder: str) -> None:
    assert inside(f"echo x > {folder}/written").code != 0
    assert not Path(folder, "written").exists()


def test_a_folder_beside_the_writable_one_is_not_there(inside: Inside, tmp_path: Path) -> None:
    inside(f"echo x > {tmp_path}/written; mkdir -p {tmp_path}/a; echo x > ../b")
    assert [file.name for file in tmp_path.iterdir()] == ["work"]


def test_a_readable_folder_is_not_writable(inside: Inside, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file.c").write_text("old")
    answer = inside(f"cat {source}/file.c; echo x > {source}/file.c; rm {source}/file.c", readable=[source])
    assert (answer.stdout, (source / "file.c").read_text()) == (b"old", "old")


def test_what_is_in_tmp_is_not_seen_and_what_is_written_there_is_gone(inside: Inside) -> None:
    assert inside("ls -A /tmp /dev/shm; echo x > /tmp/left-by-seriestool-test").code == 0
    assert not Path("/tmp/left-by-seriestool-test").exists()


def test_a_program_can_be_run_from_tmp_and_dev_shm(inside: Inside) -> None:
    assert inside("for d in /tmp /dev/shm; do cp /bin/true $d/it && $d/it || exit 1; done").code == 0


def test_a_link_that_leads_outside_leads_nowhere(inside: Inside, work: Path, home: Path) -> None:
    (work / "key").symlink_to(home / ".ssh/id_ed25519")
    (work / "out").symlink_to(home)
    answer = inside("cat key out/.netrc; echo x > out/written")
    assert SECRET.encode() not in answer.stdout
    assert not (home / "written").exists()


def test_a_hard_link_to_the_machine_cannot_be_made(inside: Inside, work: Path) -> None:
    assert inside("ln /usr/bin/env stolen").code != 0
    assert not (work / "stolen").exists()


def test_a_set_uid_program_gives_nothing(inside: Inside) -> None:
    assert inside("cp /bin/sh ./sh; chmod 6755 ./sh; ./sh -p -c 'id -u'").stdout.strip() in (b"1000", b"")
    assert b"NoNewPrivs:\t1" in inside("cat /proc/self/status").stdout


def test_the_kernel_s_settings_cannot_be_written(inside: Inside) -> None:
    # Each is written to with nothing: were it let, nothing would change. As root bwrap alone does not prevent it.
    each = "for f in $(find /proc -type f -not -path '/proc/[0-9]*')"
    answer = inside(each + "; do (true >> $f) 2>/dev/null && echo $f; done")
    assert answer.stdout == b""
    assert inside("true >> /proc/sys/kernel/core_pattern").code != 0


def test_only_devices_that_hold_nothing_are_there(inside: Inside) -> None:
    found = inside("find /dev -type c -o -type b").stdout.decode().split()
    names = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
    assert {Path(name).name for name in found} <= names


@pytest.mark.parametrize(
    "try_", ["mount -t tmpfs none /tmp", "unshare -Ur true", "mount -o remount,rw /usr", "chroot / true"]
)
def test_mounts_and_namespaces_cannot_be_made(inside: Inside, try_: str) -> None:
    assert inside(try_).code != 0


def test_a_server_on_the_machine_is_out_of_reach(inside: Inside, server: socket.socket) -> None:
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):  # from here it is there
        server.accept()[0].close()
    code = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
    answer = inside(python(code, port))
    assert b"ConnectionRefusedError" in answer.stderr
    server.settimeout(0.2)
    with pytest.raises(TimeoutError):
        server.accept()


def test_nobody_outside_is_reached_nor_any_name_looked_up(inside: Inside) -> None:
    code = "import socket; s = socket.socket(); s.settimeout(5); s.connect(('192.0.2.1', 80))"
    assert b"unreachable" in inside(python(code)).stderr
    assert b"gaierror" in inside(python("import socket; socket.getaddrinfo('kernel.org', 80)")).stderr
    assert inside("cut -d: -f1 /proc/net/dev | tail -n +3").stdout.split() == [b"lo"]


def test_an_abstract_unix_socket_is_out_of_reach(inside: Inside) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0seriestool-test-{os.getpid()}")
        listening.listen()
        code = "import socket, sys; socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])"
        answer = inside(python(code, f"seriestool-test-{os.getpid()}"))
        assert b"ConnectionRefusedError" in answer.stderr


@pytest.mark.parametrize("family", [40, 38, 17])  # AF_VSOCK leads to the host of a virtual machine
def test_sockets_that_no_namespace_holds_are_refused(inside: Inside, family: int) -> None:
    answer = inside(python("import socket, sys; socket.socket(int(sys.argv[1]), socket.SOCK_DGRAM)", family))
    assert answer.code != 0
    assert b"not supported" in answer.stderr or b"not permitted" in answer.stderr


def test_the_caller_s_keyrings_are_out_of_reach(inside: Inside) -> None:
    code = "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.syscall(250 if os.uname().machine == "
    code += "'x86_64' else 219, 0, -3, 0); print(r, ctypes.get_errno())"
    assert inside(python(code)).stdout == b"-1 38\n"


def test_processes_of_the_machine_are_not_seen_and_cannot_be_ended(inside: Inside) -> None:
    with subprocess.Popen(["sleep", "60"]) as victim:
        answer = inside(f"kill -9 {victim.pid}; kill -9 -1; ls /proc | grep -c '^{os.getpid()}$'")
        assert victim.poll() is None
        victim.kill()
    assert answer.stdout.strip() in (b"0", b"")


def test_no_file_of_ours_is_open_inside(inside: Inside, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        answer = inside("ls -l /proc/self/fd /proc/$$/fd /proc/1/fd")
    assert b"tmp_path" not in answer.stdout
    assert str(tmp_path / "open").encode() not in answer.stdout


def test_it_has_no_terminal(inside: Inside) -> None:
    assert inside("echo x > /dev/tty").code != 0


def test_sysv_memory_of_the_machine_is_not_seen(inside: Inside) -> None:
    assert inside("tail -n +2 /proc/sysvipc/shm").stdout == b""


def test_what_it_writes_belongs_to_the_caller(inside: Inside, work: Path) -> None:
    assert inside("mkdir new && echo x > new/file").code == 0
    assert (work / "new/file").stat().st_uid == os.geteuid()
    shutil.rmtree(work / "new")


MAKEFILE = """\
all: key write sock kill daemon
	@echo done
key:
	-@cat {home}/.ssh/id_ed25519
	@echo $(shell cat {home}/.netrc) $(file <{home}/.netrc)
write:
	-@echo x > {home}/written
	-@rm -rf {home}/.ssh
sock:
	-@python3 -c "import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')"
kill:
	-@kill -9 {pid}
daemon:
	-@setsid sh -c 'exec sleep {marker}' >/dev/null 2>&1 &
"""


def test_a_makefile_that_tries_all_of_it_gets_nothing(
    bubblewrap: Bubblewrap, tmp_path: Path, work: Path, home: Path, server: socket.socket
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    marker = f"6543.{os.getpid()}"
    port = server.getsockname()[1]
    (source / "Makefile").write_text(MAKEFILE.format(home=home, port=port, pid=os.getpid(), marker=marker))
    job = SandboxJob(
        ["make", "-j4", "-f", f"{source}/Makefile"], work, [source], [work], limits=SandboxLimits(seconds=30.0)
    )
    answer = bubblewrap.run(job)
    assert b"done" in answer.stdout
    assert SECRET.encode() not in answer.stdout + answer.stderr
    assert b"reached" not in answer.stdout
    assert not (home / "written").exists()
    assert (home / ".ssh/id_ed25519").read_text() == SECRET
    assert not alive(marker)


def test_several_threads_can_run_things_at_once(inside: Inside) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda n=n: answers.append(inside(f"echo {n}").stdout)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [b"0\n", b"1\n", b"2\n", b"3\n"]


def alive(marker: str) -> list[str]:
    """The processes of this machine that have the marker in their command line; not the test itself."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in line and folder.name != str(os.getpid()) and sys.executable.encode() not in line:
            found.append(folder.name)
    return found
