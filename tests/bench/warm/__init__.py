# SPDX-License-Identifier: GPL-2.0-only
"""make bench-warm: warm, saved and cold reboots of one host, measured side by side.

    __main__.py  the command: which pieces are run, kept and reported      <- start reading here
    shapes.py    how many guests of which size; the names of pieces
    hosts.py     the host of each way: the same guests and disks, ours or Debian's hypervisor
    ways.py      one reboot each way, and what is kept of it
    clients.py   clients outside that keep asking; marks on the machine's own clock
    downtime.py  answers in the packets -> how long a service was away
    cache.py     reading a cached file, a web server's throughput
    console.py   what the hypervisor's console lines say of when
    model.py     least squares, the paper's functions and availability
    disks.py     what saved bytes would cost on a disk
    targets.py   met, missed or not run
    figures.py   from the pieces to every figure that is reported
    report.py    the text table         page.py  the HTML page with plots
"""
