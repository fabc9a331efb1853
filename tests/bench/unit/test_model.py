# SPDX-License-Identifier: GPL-2.0-only
"""The model, against the figures that its authors published."""

import unittest

from warm import disks, model
from warm.model import Line

# RootHammer, section 4.5: the authors' machine.
REBOOT_VMM, RESUME, REBOOT_OS, RESET = Line(-0.55, 43), Line(0.43, -0.07), Line(3.8, 13), 47


class Model(unittest.TestCase):
    def test_the_papers_sum(self) -> None:
        """r(n) = 3.9 n + 60 - 17 alpha, as they round it."""
        warm = model.warm_downtime(REBOOT_VMM, RESUME)
        for alpha in (0, 0.5, 1):
            saves = model.cold_downtime(RESET, REBOOT_VMM.at(0), REBOOT_OS, alpha).minus(warm)
            self.assertAlmostEqual(saves.slope, 3.9, delta=0.05)
            self.assertAlmostEqual(saves.intercept, 60 - 17 * alpha, delta=0.3)

    def test_availability(self) -> None:
        """The paper's: 42, 241 and 429 s for eleven guests, 33.6 s for a guest's own reboot."""
        own = 33.6
        for downtime, reboots, expected in ((42, 4, 0.99993), (241, 3.5, 0.99985),
                                            (429, 4, 0.99977)):
            self.assertAlmostEqual(model.availability(downtime, own, reboots), expected, delta=5e-6)

    def test_fit(self) -> None:
        line = model.fit([(n, 2.5 * n - 1) for n in (1, 3, 6, 11)])
        assert line
        self.assertAlmostEqual(line.slope, 2.5)
        self.assertAlmostEqual(line.intercept, -1)
        self.assertEqual(line.points, 4)
        scattered = model.fit([(0, 0), (1, 2), (2, 1)])
        assert scattered
        self.assertAlmostEqual(scattered.slope, 0.5)
        self.assertAlmostEqual(scattered.intercept, 0.5)

    def test_too_few_points(self) -> None:
        self.assertIsNone(model.fit([]))
        self.assertIsNone(model.fit([(3, 1), (3, 2)]))

    def test_shown(self) -> None:
        self.assertEqual(str(Line(0.43, -0.07)), "0.430 n - 0.070")


class Disks(unittest.TestCase):
    def test_bytes_while_away(self) -> None:
        moved = disks.while_away(["a", "b", "c"], ["a", "b", "c"], {"a": 1, "b": 10, "c": 100})
        self.assertEqual(moved, {"a": 111 + 1, "b": 110 + 11, "c": 100 + 111})

    def test_restored_in_another_order(self) -> None:
        moved = disks.while_away(["a", "b"], ["b", "a"], {"a": 1, "b": 10})
        self.assertEqual(moved, {"a": 11 + 11, "b": 10 + 10})

    def test_seconds(self) -> None:
        self.assertEqual(disks.seconds(1e9, 200e6), 5)
