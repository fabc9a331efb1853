# SPDX-License-Identifier: GPL-2.0-only
"""From packets to downtimes, marks and calls."""

import unittest

from samples import CLIENT, GUEST, mark, packet
from lab import pcap
from warm import downtime


class Gaps(unittest.TestCase):
    def test_answers_and_questions(self) -> None:
        packets = [packet(1, CLIENT, GUEST, flags=pcap.SYN),
                   packet(1.1, GUEST, CLIENT, flags=pcap.SYN | pcap.ACK),
                   packet(1.2, GUEST, CLIENT, b"SSH-2.0"), packet(1.3, GUEST, CLIENT, b"\0\0")]
        self.assertEqual(downtime.answers(packets, *GUEST, b"SSH-"), [1.2])
        self.assertEqual(downtime.questions(packets, *GUEST), [1])

    def test_datagrams_are_questions_too(self) -> None:
        packets = [packet(1, CLIENT, ("10.0.2.16", 9), b"tick", protocol=pcap.UDP),
                   packet(2, CLIENT, ("10.0.2.15", 9), b"tick", protocol=pcap.UDP),
                   packet(3, ("10.0.2.16", 0), ("10.0.2.2", 0), bytes(20), protocol=pcap.ICMP)]
        self.assertEqual(downtime.questions(packets, *GUEST), [1])
        self.assertEqual(packets[2].source, ("10.0.2.16", 0))

    def test_longest_with_its_resolution(self) -> None:
        gap = downtime.longest_gap([1, 2, 10, 11], [0.9, 1.9, 2.5, 5, 9, 9.8, 10.9], 1.5, 10.5)
        self.assertEqual((gap.start, gap.end, gap.length, gap.questions), (2, 10, 8, 3))
        # Away from 2.5 to 9 at least.
        self.assertAlmostEqual(gap.resolution, 8 - 6.5)

    def test_a_guest_whose_other_service_answers_is_there(self) -> None:
        gap = downtime.longest_gap([1, 12], [2.5, 5, 9, 11.9], 1.5, 10.5, [10, 11, 2, 3])
        self.assertEqual((gap.start, gap.end, gap.length), (3, 12, 9))
        self.assertAlmostEqual(gap.resolution, 9 - 4)

    def test_nobody_asked(self) -> None:
        gap = downtime.longest_gap([1, 9], [0.5, 8.9], 2, 8)
        self.assertEqual((gap.length, gap.resolution, gap.questions), (8, 8, 0))

    def test_only_around_the_reboot(self) -> None:
        gap = downtime.longest_gap([0, 50, 51, 55, 56, 99], [], 50.5, 55.5)
        self.assertEqual(gap.length, 4)

    def test_never_back(self) -> None:
        with self.assertRaises(ValueError):
            downtime.longest_gap([1, 2, 3], [4, 5, 6], 3.5, 7)

    def test_names_who_is_missing(self) -> None:
        packets = [packet(t, GUEST, CLIENT, b"SSH-2.0") for t in (1, 5)]
        with self.assertRaisesRegex(ValueError, "g01, redis"):
            downtime.downtimes(packets, {"g01": GUEST[0]}, 2, 4)


class Marks(unittest.TestCase):
    def test_calls(self) -> None:
        found = downtime.marks([
            mark(1, "end save g01 0 5"), mark(2, "begin save g01"), mark(3, "end save g01 0 4096"),
            mark(4, "begin save g02"), mark(5, "end save g02 1 0"), mark(6, "begin restore g01"),
            mark(9, "begin restore g02")])
        first, failed, cut = downtime.calls(found, 1.5, 7)
        self.assertEqual((first["seconds"], first["bytes"], first["code"]), (1, 4096, 0))
        self.assertEqual(failed["code"], 1)
        self.assertNotIn("code", cut)

    def test_the_last_of_a_mark(self) -> None:
        found = [(1.0, "a"), (2.0, "b"), (3.0, "a")]
        self.assertEqual(downtime.mark(found, "a"), 3)
        with self.assertRaisesRegex(ValueError, "'c'"):
            downtime.mark(found, "c")
