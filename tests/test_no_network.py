"""Nothing that runs here looks for the network: in a namespace with loopback alone the kernel counts each attempt."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_index import write_pdf

SCRIPT = """
import asyncio, fcntl, io, json, os, socket, struct, sys

with socket.socket() as control:  # loopback is down in a new namespace
    fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING

def attempts():
    '''Packets without a route, and those to a resolver on loopback that nobody listens at.'''
    found = {}
    names, values = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Ip:")]
    found |= dict(zip(names, map(int, values)))
    names, values = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Udp:")]
    found |= {f"Udp{name}": int(value) for name, value in zip(names, values)}
    found |= {line.split()[0]: int(line.split()[1]) for line in open("/proc/net/snmp6")}
    wanted = ("OutNoRoutes", "UdpNoPorts", "Ip6OutNoRoutes", "Udp6NoPorts")
    return sum(found.get(name, 0) for name in wanted)

def try_out():
    with socket.socket() as outside:
        try:
            outside.connect(("192.0.2.1", 80))
        except OSError:
            pass

async def over_mcp(folder):
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "pagesight.agent.cli", "mcp", "--index", folder], env=dict(os.environ)
    )
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        found = await session.call_tool("search_pages", {"query": "ferry"})
        return int("a.pdf p. 1" not in found.content[0].text)

folder, document = sys.argv[1:]
from pagesight.agent.cli import main

def chat():
    sys.stdin = io.StringIO("How many passengers?\\n")
    return main(["chat", "--index", folder])

steps = {
    "index": lambda: main(["index", document, "--index", folder]),
    "search": lambda: main(["search", "ferry passengers", "--index", folder]),
    "ask": lambda: main(["ask", "How many passengers does the ferry carry?", "--index", folder, "--report", "a.html"]),
    "chat": chat,
    "doctor": lambda: main(["doctor", "--index", folder]),
    "mcp": lambda: asyncio.run(over_mcp(folder)),
    "on purpose": lambda: try_out() or 0,
}
results = {}
for name, step in steps.items():
    before = attempts()
    status = step()
    results[name] = [status, attempts() - before]
print(json.dumps(results))
"""


def namespace() -> list[str]:
    """The command that runs another one in a network namespace of its own; skips where that is not allowed."""
    unshare = shutil.which("unshare")
    for options in (["-n"], ["-rn"]):
        if unshare and subprocess.run([unshare, *options, "true"], capture_output=True, check=False).returncode == 0:
            return [unshare, *options]
    pytest.skip("network namespaces are not allowed here (unshare -n)")


@pytest.mark.slow
def test_no_command_tries_to_reach_the_network(tmp_path: Path) -> None:
    document = write_pdf(tmp_path / "a.pdf", [["Fleet of ferries", "The ferry Aurora carries 1200 passengers."]])
    command = [*namespace(), sys.executable, "-c", SCRIPT, str(tmp_path / "index"), str(document)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(done.stdout.splitlines()[-1])
    _, attempts = results.pop("on purpose")
    assert attempts == 1, "the kernel does not count what is tried here"
    assert set(results) == {"index", "search", "ask", "chat", "doctor", "mcp"}
    assert {name: found for name, found in results.items() if found != [0, 0]} == {}
