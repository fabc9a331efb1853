# SPDX-License-Identifier: GPL-2.0-only
"""Hosts that run real Xen under QEMU's software emulation, for tests and for playing.

    host.py      a host: dom0, guests, console, memory          <- start reading here
    spec.py      what a host is made of (memory, guests, hypervisor, command lines)
    guest.py     a guest as its clients see it: ssh, web, Redis, witness
    stage.py     the per-run files laid over dom0's root
    warm.py      one warm reboot, as an operator does it
    state.py     what must still be true of a guest after it
    snapshot.py  a running host put aside, to start many tests from
    pair.py      two hosts, the networks between them and a client outside
    wire.py      one Ethernet between them: who hears whom
    shape.py     how fast and how good a host's line is
    capture.py   the frames of a card   pcap.py     the reader of such files
    namespace.py network namespaces: places that are no machines
    qemu.py      the QEMU process        monitor.py  QMP
    gdbstub.py   breakpoints, registers  ram.py      the host's memory seen from outside
    serial.py    the serial log          ssh.py      commands in dom0 and guests
    errors.py    what can go wrong, by whose fault
"""
