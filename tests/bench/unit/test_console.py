# SPDX-License-Identifier: GPL-2.0-only
"""Times from the hypervisor's console lines."""

import unittest

from warm import console

TEXT = """[  OK  ] Stopped target.
(XEN) [0000000077359400] Hardware Dom0 shutdown: rebooting machine
(XEN) [0000000083215600] Xen version 4.17.5 (Debian) debug=n
(XEN) untimed line
(XEN) [00000000b2d05e00] *** Serial input to DOM0 (type 'CTRL-a' three times to switch input)
(XEN) [00000000b2d05e01] Freed 664kB init memory
"""


class Lines(unittest.TestCase):
    def test_reset(self) -> None:
        found = console.reset(TEXT)
        self.assertAlmostEqual(found.reset, 2.0)
        self.assertAlmostEqual(found.entry, 2.2)
        self.assertAlmostEqual(found.dom0, 3.0)

    def test_missing_lines(self) -> None:
        for gone in ("rebooting machine", "Xen version", "DOM0"):
            text = "\n".join(line for line in TEXT.splitlines() if gone not in line)
            if gone == "DOM0":
                text = text.replace("Freed", "Kept")
            with self.assertRaises(ValueError):
                console.reset(text)

    def test_events(self) -> None:
        text = "x event=freeze guest=a tsc=1000000000\ny event=frozen guest=a tsc=2000000000\n"
        self.assertEqual(console.events(text, "freeze"), {"a": 1.0})
        self.assertEqual(console.events(text, "frozen"), {"a": 2.0})
