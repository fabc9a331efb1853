# SPDX-License-Identifier: GPL-2.0-only
"""What a reboot leaves of the page cache: reading a cached file, and a web server's throughput.

Both are timed by the machine's clock from inside it, so nothing outside has to keep up: the file
by its guest, the web server by a client in dom0, over the guest's network card.
"""

import json
from typing import Any

from lab.errors import ProductFailure
from lab.guest import Guest
from lab.host import Host
from lab.spec import guest_ip

# Two files in the guest, each the image's twenty of 1 MiB so many times. The one is read, the other
# fetched: what one of the two has brought into the cache must not help the other.
FOLDER = "/var/www/html/data"
TIMES = 3
BYTES = TIMES * 20 << 20
READ, FETCHED = "bench-read", "bench-fetched"

# Asks for a small file first: what the client and its host need to have loaded is loaded then.
WEB = r"""
use strict; use warnings; use IO::Socket::INET; use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($ip, $file) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => $ip, PeerPort => 80, Timeout => 60) or die "connect: $!";
sub get {
    my ($path) = @_;
    print $s "GET $path HTTP/1.1\r\nHost: guest\r\n\r\n"; $s->flush;
    my $head = '';
    while ($head !~ /\r\n\r\n/) { sysread($s, $head, 4096, length $head) or die "closed: $head"; }
    my ($first, $rest) = split /\r\n\r\n/, $head, 2;
    $first =~ / 200 / or die $first;
    my ($length) = $first =~ /content-length: (\d+)/i;
    my $got = length $rest;
    while ($got < $length) { $got += sysread($s, my $part, 1 << 16) || die 'cut'; }
    return $got;
}
get('/');
my $begin = clock_gettime(CLOCK_MONOTONIC);
my $bytes = get($file);
printf "{\"bytes\": %d, \"seconds\": %.9f}\n", $bytes, clock_gettime(CLOCK_MONOTONIC) - $begin;
"""


def make_files(guest: Guest) -> None:
    parts = " ".join(f"{FOLDER}/file{i}" for i in range(1, 21))
    for name in (READ, FETCHED):
        guest.run(f"cat {' '.join([parts] * TIMES)} > {FOLDER}/{name}", 1200)
    guest.run("sync", 1200)
    # Linux moves a page to its active list when it is read for the second time, which costs as much
    # as the reading. It is done before anything is measured.
    for name in (READ, FETCHED) * 2:
        guest.run(f"cat {FOLDER}/{name} > /dev/null", 1200)


def read_file(guest: Guest) -> dict[str, Any]:
    """The sectors that its guest read from its disk meanwhile are counted too."""
    before = guest.disk_reads()
    begin, end = map(float, guest.run(
        f"bash -c 'b=$EPOCHREALTIME; cat {FOLDER}/{READ} > /dev/null; echo $b $EPOCHREALTIME'",
        1200).out.split())
    return {"bytes": BYTES, "seconds": end - begin, "disk_sectors": guest.disk_reads() - before}


def fetch_file(host: Host, guest: Guest) -> dict[str, Any]:
    """From the guest's web server, by a client in dom0."""
    before = guest.disk_reads()
    host.ssh.put(WEB.encode(), "/root/bench-web.pl")
    ip = guest_ip(host.spec.guests.index(guest.spec))
    answer: dict[str, Any] = json.loads(
        host.dom0(f"perl /root/bench-web.pl {ip} /data/{FETCHED}", 1200).out)
    if answer["bytes"] != BYTES:
        raise ProductFailure(f"{guest.name}: {answer['bytes']} bytes of {BYTES} fetched")
    return answer | {"disk_sectors": guest.disk_reads() - before}


def look(host: Host, guest: Guest) -> dict[str, dict[str, Any]]:
    # What is left of a boot would run beside it. "degraded" is no failure of ours.
    for machine in (host.ssh, guest.ssh):
        machine.run("systemctl is-system-running --wait", 1200, check=False)
    return {"file": read_file(guest), "web": fetch_file(host, guest)}
