# SPDX-License-Identifier: GPL-2.0-only
"""Targets and reports, of everything, of parts and of nothing."""

import unittest
from collections.abc import Iterable

from samples import cold_piece, saved_piece, warm_piece
from warm import figures, page, report, shapes
from warm.shapes import Shape
from warm.targets import Target

MAKERS = {"warm": (warm_piece, 12), "saved": (saved_piece, 300), "cold": (cold_piece, 200)}
ALL = shapes.shapes(11, [256, 1024, 4096, 8192])


def pieces(wanted: Iterable[Shape]) -> dict[tuple[str, Shape], figures.Json]:
    return {(way, s): make(s.guests, s.mib, downtime + s.guests / 10)
            for s in wanted for way, (make, downtime) in MAKERS.items()}


class Shapes(unittest.TestCase):
    def test_counts(self) -> None:
        self.assertEqual(shapes.counts(11), [1, 3, 6, 11])
        self.assertEqual(shapes.counts(3), [1, 3])
        self.assertEqual(shapes.counts(1), [1])
        self.assertEqual(shapes.counts(5), [1, 3, 5])

    def test_all(self) -> None:
        self.assertEqual(len(ALL), 7)
        self.assertEqual(ALL[0], Shape(1, 256))
        self.assertEqual(Shape.parse(str(ALL[-1])), Shape(11, 1024))
        for most in range(1, 12):
            self.assertIn(shapes.PROBED, shapes.shapes(most, [256]))


class Targets(unittest.TestCase):
    def test_verdicts(self) -> None:
        self.assertEqual(Target("x", 0.05, 0.05).verdict(0.05), "met")
        self.assertEqual(Target("x", 0.05, 0.05, strict=True).verdict(0.05), "missed")
        self.assertEqual(Target("x", 0.05, None).line(), "not run  x: at most 5.00 %")

    def test_with_disk_is_beside(self) -> None:
        line = Target("x", 0.05, 0.08, with_disk={"1 GB/s": 0.04}).line()
        self.assertTrue(line.startswith("missed   x: at most 5.00 %, 8.00 %\n"), line)
        self.assertIn("computed, saved bytes on a disk: 1 GB/s 4.00 % (met)", line)


class Figures(unittest.TestCase):
    def test_everything(self) -> None:
        found = figures.everything(pieces(ALL), ALL)
        self.assertEqual(found["not_run"], [])
        self.assertEqual([s["mib"] for s in found["sizes"]], [256, 1024, 4096, 8192])
        verdicts = [t.verdict(t.value) for t in found["targets"]]
        # Warm 13.1 s of saved 301.1 s and cold 201.1 s; 12.1 s with one guest.
        self.assertEqual(verdicts, ["met", "met", "met", "missed", "missed"])
        self.assertAlmostEqual(found["targets"][0].value, 13.1 / 301.1)
        line = found["functions"]["lines"]["resume"]
        self.assertAlmostEqual(line["slope"], 0.3)
        self.assertEqual(line["points"], 4)
        self.assertAlmostEqual(found["functions"]["constants"]["reset_hw"], 1.0)

    def test_phases_of_a_cold_reboot(self) -> None:
        p = figures.phases(cold_piece(2, 1024, 60))
        # Shut down from 110 to the last look that found the guest gone; the machine reset at
        # 130, up at 131, the first guest created at 150, all serving at 170.
        self.assertAlmostEqual(p["shutdown"], 12.1)
        self.assertAlmostEqual(p["dom0_down"], 7.9)
        self.assertAlmostEqual(p["to_entry"], 1)
        self.assertAlmostEqual(p["dom0_up"], 19)
        self.assertAlmostEqual(p["boot"], 20)

    def test_disks_make_saving_longer(self) -> None:
        piece = saved_piece(2, 1024, 60)
        slow, _, fast = figures.away_with_disk(piece, "ssh").values()
        moved = 3 * 1024 * (1 << 20)    # both of them: two written, one read, or the reverse
        self.assertAlmostEqual(slow, 60 + moved / 200e6)
        self.assertAlmostEqual(fast, 60 + moved / 5e9)

    def test_any_piece_may_be_missing(self) -> None:
        """Reports need no piece; each alone, and each left out, gives one."""
        whole = pieces(ALL)
        some: list[figures.Pieces] = [{}, *({k: v} for k, v in whole.items()),
                *({k: v for k, v in whole.items() if k != out} for out in whole)]
        for part in some:
            found = figures.everything(part, ALL)
            text = report.text(found)
            self.assertEqual(len(found["not_run"]), len(whole) - len(part))
            self.assertIn("Targets\n", text)
        self.assertEqual(report.targets(figures.everything({}, ALL)).count("not run"), 5)

    def test_several_hosts_show(self) -> None:
        whole = pieces(shapes.shapes(1, [256]))
        whole["warm", Shape(1, 256)]["versions"] = {"xen": "another", "dom0": "pvh",
                                                    "host_mib": 4096}
        text = report.text(figures.everything(whole, shapes.shapes(1, [256])))
        self.assertIn("warm: Xen 4.17.5, build id 0, host of 2048 MiB\n"
                      "warm: Xen another, host of 4096 MiB, PVH dom0\nsaved:", text)

    def test_one_number_of_guests_is_no_line(self) -> None:
        wanted = shapes.shapes(1, [256])
        text = report.text(figures.everything(pieces(wanted), wanted))
        self.assertIn("resume(n) = not fitted", text)
        self.assertIn("not run  one guest of 8 GB", text)

    def test_cache(self) -> None:
        piece = warm_piece(1, 1024, 12)
        look = {"file": {"bytes": 10_000_000, "seconds": 0.1, "disk_sectors": 0},
                "web": {"bytes": 10_000_000, "seconds": 1, "disk_sectors": 20000}}
        piece["cache"] = {"before": look, "after": look}
        text = report.caches({"cache": figures.cache({("warm", Shape(1, 1024)): piece})})
        self.assertIn("100.0 (0)", text)
        self.assertIn("10.0 (20000)", text)
        # 20000 sectors are 10.24 MB: 0.0512 s of the slow disk.
        self.assertIn(f"{10 / (1 + 0.0512):.1f}", text)


class Page(unittest.TestCase):
    def test_is_whole_and_the_same_twice(self) -> None:
        nothing: figures.Pieces = {}
        for part in (nothing, pieces(ALL)):
            found = figures.everything(part, ALL)
            text = page.page(found)
            self.assertEqual(text.count("<svg"), len(page.PLOTS))
            self.assertEqual(text.count("</svg>"), len(page.PLOTS))
            for outside in ("<script", "<link", "<img", "@import"):
                self.assertNotIn(outside, text)
            self.assertEqual(text, page.page(found))
