"""The files that make a connector a service: a systemd unit, or a task of Windows' scheduler.

Text only; where it goes and who starts it is said beside it. Each agency has its own name, so one
machine can keep the connectors of several bodies.

Source: systemd.exec(5) (sandboxing); Microsoft, Task Scheduler Schema 1.2.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

KINDS = ("systemd", "windows")
_TASK = "http://schemas.microsoft.com/windows/2004/02/mit/task"


@dataclass(frozen=True, slots=True)
class Service:
    """What a service runs: paths are absolute; `user` is the account that it runs as."""

    agency: str
    command: tuple[str, ...]
    config: Path
    state: Path
    user: str

    @property
    def name(self) -> str:
        return f"titian-{self.agency}"


def systemd(service: Service) -> str:
    """A unit that restarts, writes nowhere but in its state folder, and waits for the network."""
    words = " ".join(_quoted(word) for word in service.command)
    return f"""[Unit]
Description=Titian connector of {service.agency}
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
User={service.user}
ExecStart={words}
WorkingDirectory={_escaped(str(service.config.parent))}
Restart=on-failure
RestartSec=30
RestartPreventExitStatus=3 4 6
MemoryMax=256M
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
ReadWritePaths={_quoted(str(service.state))}
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def windows(service: Service) -> str:
    """A task that starts with the machine, again a minute after it ended, and never twice at once."""
    program, *words = service.command
    arguments = " ".join(f'"{word}"' if " " in word else word for word in words)
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="{_TASK}">
  <RegistrationInfo><Description>Titian connector of {escape(service.agency)}</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals>
    <Principal id="Author"><UserId>{escape(service.user)}</UserId><LogonType>S4U</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{escape(program)}</Command><Arguments>{escape(arguments)}</Arguments><WorkingDirectory>{escape(str(service.config.parent))}</WorkingDirectory></Exec>
  </Actions>
</Task>
"""


def _escaped(word: str) -> str:
    return word.replace("%", "%%")


def _quoted(word: str) -> str:
    plain = _escaped(word)
    if not any(sign in plain for sign in ' "\\;$'):
        return plain
    inner = plain.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{inner}"'
