"""What a reboot leaves of the page cache: reading a cached file, and a web server's throughput.

Both are timed by the machine's clock from inside it, so nothing outside has to keep up: the file
by its guest, the web server by a client in dom0, over the guest's network card.
"""

import json
from typing import Any

from lab.guest import Guest
from lab.host import Host
from lab.spec import guest_ip

# The image's files of 1 MiB that a web server would hold in its cache: half for each.
FILES = {"file": range(1, 11), "web": range(11, 21)}
MIB = 1 << 20
FOLDER = "/var/www/html/data"

# One kept-alive connection that gets every file in turn.
WEB = r"""
use strict; use warnings; use IO::Socket::INET; use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($ip, @paths) = @ARGV;
my $s = IO::Socket::INET->new(PeerAddr => $ip, PeerPort => 80, Timeout => 60) or die "connect: $!";
my $begin = clock_gettime(CLOCK_MONOTONIC);
my $bytes = 0;
for my $path (@paths) {
    print $s "GET $path HTTP/1.1\r\nHost: guest\r\n\r\n"; $s->flush;
    my $head = '';
    while ($head !~ /\r\n\r\n/) { sysread($s, $head, 4096, length $head) or die "closed: $head"; }
    my ($first, $rest) = split /\r\n\r\n/, $head, 2;
    $first =~ / 200 / or die $first;
    my ($length) = $first =~ /content-length: (\d+)/i;
    my $got = length $rest;
    while ($got < $length) { $got += sysread($s, my $part, 1 << 16) || die 'cut'; }
    $bytes += $got;
}
printf "{\"bytes\": %d, \"seconds\": %.9f}\n", $bytes, clock_gettime(CLOCK_MONOTONIC) - $begin;
"""


def read_files(guest: Guest) -> dict[str, Any]:
    """cat of ten files; the sectors its guest read from its disk meanwhile."""
    before = guest.disk_reads()
    files = " ".join(f"{FOLDER}/file{i}" for i in FILES["file"])
    begin, end = map(float, guest.run(
        f"bash -c 'b=$EPOCHREALTIME; cat {files} > /dev/null; echo $b $EPOCHREALTIME'",
        1200).out.split())
    return {"bytes": len(FILES["file"]) * MIB, "seconds": end - begin,
            "disk_sectors": guest.disk_reads() - before}


def get_files(host: Host, guest: Guest) -> dict[str, Any]:
    """Ten other files from the guest's web server, by a client in dom0."""
    before = guest.disk_reads()
    host.ssh.put(WEB.encode(), "/root/bench-web.pl")
    paths = " ".join(f"/data/file{i}" for i in FILES["web"])
    ip = guest_ip(host.spec.guests.index(guest.spec))
    answer: dict[str, Any] = json.loads(
        host.dom0(f"perl /root/bench-web.pl {ip} {paths}", 1200).out)
    answer["disk_sectors"] = guest.disk_reads() - before
    return answer


def look(host: Host, guest: Guest) -> dict[str, dict[str, Any]]:
    return {"file": read_files(guest), "web": get_files(host, guest)}
