# SPDX-License-Identifier: GPL-2.0-only
"""The command: what it runs, keeps, and says of a piece that fails. No machine is started."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from lab.errors import EnvironmentFailure, ProductFailure
from samples import cold_piece, saved_piece, warm_piece
from warm import __main__ as command
from warm import ways
from warm.shapes import Shape

MAKERS = {"warm": warm_piece, "saved": saved_piece, "cold": cold_piece}


class Command(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)
        self.ran: list[str] = []
        self.failing: dict[str, Exception] = {}

    def piece(self, way: str, shape: Shape, **_: Any) -> dict[str, Any]:
        self.ran.append(f"{way}-{shape}")
        if self.ran[-1] in self.failing:
            raise self.failing[self.ran[-1]]
        return MAKERS[way](shape.guests, shape.mib, 20)

    def run_command(self, *options: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", ["warm", "--out", str(self.out), *options]), \
                mock.patch.object(ways, "run", self.piece), mock.patch("signal.signal"), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command.main()
        return status, out.getvalue(), err.getvalue()

    def test_runs_and_reports(self) -> None:
        status, out, _ = self.run_command("--guests", "1", "--sizes", "256")
        self.assertEqual(status, 0)
        self.assertEqual(self.ran, [f"{w}-1x{m}" for m in (256, 1024) for w in MAKERS])
        self.assertIn("[6/6]", out)
        document = json.loads((self.out / "bench-warm.json").read_text())
        self.assertEqual(document["targets"][0]["verdict"], "not run")
        self.assertEqual(len(document["pieces"]), 6)
        self.assertIn("<svg", (self.out / "bench-warm.html").read_text())
        self.assertIn((self.out / "bench-warm.txt").read_text(), out)

    def test_a_lost_guest_ends_the_run(self) -> None:
        self.failing["saved-1x256"] = ProductFailure("g01 is gone")
        status, out, err = self.run_command("--guests", "1", "--sizes", "256")
        self.assertEqual(status, 1)
        self.assertEqual(self.ran, ["warm-1x256", "saved-1x256"])
        self.assertIn("g01 is gone", err)
        self.assertIn("its logs: ", err)
        self.assertTrue(err.strip().endswith("only what was obtained"), err)
        self.assertIn("Not run: saved-1x256, cold-1x256", out)
        # Goes on from there.
        self.failing.clear()
        self.ran.clear()
        self.assertEqual(self.run_command("--guests", "1", "--sizes", "256", "--reuse")[0], 0)
        self.assertEqual(self.ran[0], "saved-1x256")
        self.assertEqual(len(self.ran), 5)

    def test_an_old_result_does_not_outlive_a_failure(self) -> None:
        self.run_command("--guests", "1", "--sizes", "256")
        self.failing["warm-1x256"] = ProductFailure("lost")
        self.assertEqual(self.run_command("--guests", "1", "--sizes", "256")[0], 1)
        self.assertFalse((self.out / "warm-1x256.json").exists())

    def test_whose_fault(self) -> None:
        self.failing["warm-1x256"] = EnvironmentFailure("no QEMU")
        self.assertEqual(self.run_command("--guests", "1", "--sizes", "256")[0], 2)
        self.failing["warm-1x256"] = KeyError("a mistake of ours")
        status, _, err = self.run_command("--guests", "1", "--sizes", "256")
        self.assertEqual(status, 1)
        self.assertIn("Traceback", err)

    def test_only(self) -> None:
        few = ("--guests", "1", "--sizes", "256")
        self.assertEqual(self.run_command(*few, "--only", "cold-1x256")[0], 0)
        self.assertEqual(self.ran, ["cold-1x256"])
        self.assertEqual(self.run_command(*few, "--only", "cold-9x256")[0], 2)
        self.assertEqual(self.run_command(*few, "--report")[0], 0)
        self.assertEqual(self.ran, ["cold-1x256"])

    def test_early_is_kept_apart(self) -> None:
        few = ("--guests", "1", "--sizes", "1024")
        self.run_command(*few)
        self.run_command(*few, "--early", "--reuse")
        self.assertEqual(self.ran, ["warm-1x1024", "saved-1x1024", "cold-1x1024", "warm-1x1024"])
        self.assertTrue((self.out / "warm-early-1x1024.json").exists())

    def test_dom0s_types_are_kept_apart(self) -> None:
        few = ("--guests", "1", "--sizes", "256", "--only", "cold-1x256")
        self.run_command(*few)
        self.run_command(*few, "--dom0", "pvh", "--reuse")
        self.assertEqual(self.ran, ["cold-1x256", "cold-1x256"])
        self.assertTrue((self.out / "cold-pvh-1x256.json").exists())
