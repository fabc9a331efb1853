# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts: a guest moves between them, and the lines do what they are told to."""

import re
import time

import pytest
from lab import pcap
from lab.clock import Deadline, wait_until
from lab.spec import Side
from lab.state import GuestState
from lab.warm import DB

A, B = Side("a", ()), Side("b", ())
ECHO, REPLY = 8, 0


def ping(host, target, *options, count=3):
    """Answers that came, and the shortest time that one took, in dom0's own ms."""
    out = host.dom0(f"ping -q -n -c {count} {' '.join(options) or '-i 0.2 -W 3'} {target}",
                    check=False).out
    received = re.search(r"(\d+) received", out)
    assert received, out
    shortest = re.search(r"= ([\d.]+)/", out)
    return int(received[1]), float(shortest[1]) if shortest else None


def messages(capture, source, kind):
    return [p for p in capture.packets() if p.protocol == pcap.ICMP and p.source[0] == source
            and p.flags == kind]


def burst(host, target, size, count):
    """Datagrams as fast as dom0 makes them."""
    host.dom0("python3 -c '"
              "import socket\n"
              "s = socket.socket(type=socket.SOCK_DGRAM)\n"
              f"for _ in range({count}): s.sendto(bytes({size}), (\"{target}\", 9))'")


def datagrams(capture):
    return [p.time for p in capture.packets() if p.protocol == pcap.UDP
            and p.source[0] == A.link_ip()]


def migrate(pair, web, seconds=900):
    """From a to b, while a client keeps asking over one connection. How often it was answered."""
    log = pair.folder / "migrate.log"
    process = pair.a.ssh.start("xl migrate db b", log)
    deadline, answers = Deadline(seconds, "xl migrate"), 0
    try:
        while process.poll() is None:
            assert web.get("/", 300) == b"ok\n"
            answers += 1
            deadline.check()
            time.sleep(0.5)
    finally:
        pair.a.ssh.end(process)
    assert process.returncode == 0, log.read_text()
    return answers


def greets(pair, ip):
    """Does dom0's sshd answer the client?"""
    try:
        with pair.client.connect(ip, 22, Deadline(5, "connect").seconds) as connection:
            connection.settimeout(Deadline(20, "sshd's first line").seconds)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def test_guest_moves_to_the_other_host(start_pair):
    """Stock tools. The client that talks to it meanwhile sees no more than a pause."""
    pair = start_pair(a=[DB])
    guest = pair.guest("db")
    before = GuestState.of(guest)
    file = "/var/www/html/data/file7"
    digest = guest.run(f"sha256sum {file}; echo moved > /root/marker; sync").out.split()[0]
    assert pair.on("db") == ["a"]
    with guest.witness_connection() as held, guest.http_connection() as web:
        assert web.get("/") == b"ok\n"
        held.ask("reset")
        with pair.a.capture("peer0", 128) as link, pair.a.capture("net0", 128) as network:
            answers = migrate(pair, web)
        assert answers > 1
        assert pair.on("db") == ["b"]
        answer = held.ask("get")
        assert answer["seed"] == before.seed and not answer["monotonic_back"]
        assert web.get("/") == b"ok\n"
    before.must_continue_as(GuestState.of(guest))
    # The hosts have one disk between them: what was written on a is read, not remembered, on b.
    guest.run("echo 3 > /proc/sys/vm/drop_caches")
    assert guest.run("cat /root/marker").out == "moved\n"
    assert guest.run(f"sha256sum {file}").out.split()[0] == digest
    # The memory went over the line between the hosts.
    assert sum(p.length for p in link.packets()) > DB.witness << 20
    assert sum(p.length for p in network.packets()) < 4 << 20


def test_shaped_line(start_pair):
    pair = start_pair()
    size, count = 1372, 200
    bits = (count - 1) * (size + 8 + 20 + 14) * 8
    _, free = ping(pair.a, B.link_ip(), count=5)
    for rate in (1, 4):
        pair.a.shape("peer0", rate=f"{rate}mbit")
        with pair.a.capture("peer0") as left, pair.b.capture("peer0") as arrived:
            burst(pair.a, B.link_ip(), size, count)
            wait_until("the burst to arrive", 60, lambda: len(datagrams(arrived)) == count)
        sent = datagrams(left)
        assert len(sent) == count
        # In the machine's own time, so however busy ours is; what is late is the last frame only.
        assert sent[-1] - sent[0] == pytest.approx(bits / rate / 1e6, rel=0.1), f"{rate} Mbit/s"

    pair.a.shape("peer0", delay="300ms")
    _, least = ping(pair.a, B.link_ip(), count=5)
    assert free < 150 and 300 <= least < 450

    pair.a.shape("peer0", loss="30%")
    with pair.b.capture("peer0") as seen:
        received, _ = ping(pair.a, B.link_ip(), "-i 0.01 -W 5", count=200)
    assert 100 < received < 180
    assert len(messages(seen, A.link_ip(), ECHO)) == received

    pair.a.shape("peer0", duplicate="50%")
    with pair.b.capture("peer0") as seen:
        received, _ = ping(pair.a, B.link_ip(), "-i 0.01 -W 5", count=200)
    assert received == 200
    assert 260 < len(messages(seen, A.link_ip(), ECHO)) < 340

    pair.a.shape("peer0", corrupt="100%")
    with pair.b.capture("peer0") as seen:
        received, _ = ping(pair.a, B.link_ip(), f"-i 0.05 -W 2 -s {size}", count=20)
    assert received < 5 and len(messages(seen, A.link_ip(), ECHO)) > 15

    pair.a.unshape("peer0")
    received, least = ping(pair.a, B.link_ip(), "-i 0.01 -W 5", count=200)
    assert received == 200 and least < 299


def test_hosts_lose_sight_of_each_other(start_pair):
    pair = start_pair()
    # Every frame that is missing is to be missing because of the cut: not for want of an address.
    for host, other in ((pair.a, B), (pair.b, A)):
        for card, ip in (("peer0", other.link_ip()), ("net0", other.network_ip())):
            mac, device = other.mac(card), card if card == "peer0" else "xenbr0"
            host.dom0(f"ip neighbour replace {ip} lladdr {mac} dev {device}")

    def over_link(host, side):
        return ping(host, side.link_ip())[0]

    with pair.a.capture("peer0") as at_a, pair.b.capture("peer0") as at_b:
        def echoes(side):
            """Requests of one side, as seen leaving and as seen arriving."""
            views = [len(messages(c, side.link_ip(), ECHO)) for c in (at_a, at_b)]
            return tuple(views if side is A else reversed(views))

        assert over_link(pair.a, B) == over_link(pair.b, A) == 3
        assert echoes(A) == echoes(B) == (3, 3)

        pair.link.cut("a", "b", one_way=True)
        assert over_link(pair.a, B) == 0 and echoes(A) == (6, 3)
        assert over_link(pair.b, A) == 0 and echoes(B) == (6, 6), "b is still heard"
        assert len(messages(at_a, A.link_ip(), REPLY)) == 6
        assert len(messages(at_b, A.link_ip(), REPLY)) == 3, "but gets no answer"

        pair.link.cut("a", "b")
        assert over_link(pair.b, A) == 0 and echoes(B) == (9, 6)
        # The line between the hosts is down, no more.
        assert ping(pair.a, B.network_ip())[0] == 3

        pair.network.cut("a", "b")
        assert ping(pair.a, B.network_ip())[0] == ping(pair.b, A.network_ip())[0] == 0
        assert greets(pair, A.network_ip()) and greets(pair, B.network_ip())

        pair.network.cut("client", "b")
        assert greets(pair, A.network_ip()) and not greets(pair, B.network_ip())

        pair.network.heal()
        pair.link.heal()
        assert greets(pair, B.network_ip())
        assert ping(pair.a, B.network_ip())[0] == over_link(pair.a, B) == 3
        assert echoes(A) == (9, 6)
