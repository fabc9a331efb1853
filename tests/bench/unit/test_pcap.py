# SPDX-License-Identifier: GPL-2.0-only
"""Packets are read as they were recorded, from files that are cut anywhere too."""

import tempfile
import unittest
from pathlib import Path

from lab import pcap
from samples import CLIENT, GUEST, HEADER, frame, record


class Packets(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "p.pcap")
        self.data = (HEADER + record(1.5, frame(CLIENT, GUEST, flags=pcap.SYN))
                     + record(2.000001, frame(GUEST, CLIENT, b"SSH-2.0\r\n", options=3))
                     + record(3, b"\xff" * 12 + b"\x08\x06" + bytes(28))
                     + record(4, frame(("10.0.2.15", 7), ("10.0.2.2", 9), b"bench: x",
                                       protocol=pcap.UDP)))

    def test_whole_file(self) -> None:
        self.path.write_bytes(self.data)
        syn, banner, datagram = pcap.read(self.path)
        self.assertEqual((syn.time, syn.source, syn.target, syn.flags, syn.length),
                         (1.5, CLIENT, GUEST, pcap.SYN, 0))
        self.assertEqual((banner.time, banner.payload), (2.000001, b"SSH-2.0\r\n"))
        self.assertEqual((datagram.protocol, datagram.payload), (pcap.UDP, b"bench: x"))

    def test_cut_anywhere_then_the_rest(self) -> None:
        """What is missing is read once it is there; nothing is read twice."""
        for cut in range(len(self.data) + 1):
            self.path.write_bytes(self.data[:cut])
            reader = pcap.Reader(self.path)
            first = reader.more()
            self.path.write_bytes(self.data)
            self.assertEqual(len(first + reader.more()), 3, cut)
            self.assertEqual(reader.last, 4)
            self.assertEqual(reader.more(), [])

    def test_no_file_yet(self) -> None:
        self.assertEqual(pcap.Reader(self.path).more(), [])

    def test_another_file(self) -> None:
        self.path.write_bytes(bytes(100))
        with self.assertRaises(ValueError):
            pcap.read(self.path)

    def test_frames_cut_by_the_recorder(self) -> None:
        whole = frame(GUEST, CLIENT, b"x" * 1000)
        packet = pcap.decode(1, whole[:256])
        assert packet
        self.assertEqual((packet.length, len(packet.payload)), (1000, 256 - 54))
        for size in range(54):
            self.assertIsNone(pcap.decode(1, whole[:size]))

    def test_padding_is_no_payload(self) -> None:
        packet = pcap.decode(1, frame(GUEST, CLIENT) + bytes(6))
        assert packet
        self.assertEqual((packet.length, packet.payload), (0, b""))
