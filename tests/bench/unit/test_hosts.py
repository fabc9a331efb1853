# SPDX-License-Identifier: GPL-2.0-only
"""The hosts of the three ways are alike; the wrapper says what was called and how it ended."""

import itertools
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from lab.spec import guest_disk
from warm import cache, hosts
from warm.shapes import Shape


class Specs(unittest.TestCase):
    def test_alike(self) -> None:
        shapes = Shape(1, 256), Shape(11, 1024)
        memory = hosts.host_mib(shapes)
        self.assertGreater(memory, 11 * 1024)
        for shape, dom0 in itertools.product(shapes, ("pv", "pvh")):
            ours = hosts.warm_spec(shape, memory, dom0, early=False)
            stock = hosts.stock_spec(shape, memory, dom0)
            for spec in ours, stock:
                self.assertEqual("dom0=pvh" in spec.xen_command_line(), dom0 == "pvh")
                self.assertEqual(spec.iommu, dom0 == "pvh")
            self.assertEqual(ours.guests, stock.guests)
            self.assertEqual([ours.megabytes(), stock.megabytes()], [memory, memory])
            self.assertEqual(ours.dom0_command_line(), stock.dom0_command_line())
            self.assertTrue(ours.icount and stock.icount)
            self.assertFalse(stock.trees)

    def test_saves_have_the_disk_after_the_guests(self) -> None:
        shape = Shape(11, 1024)
        fstab = dict(hosts.stock_spec(shape, 16384, "pv").files)["etc/fstab"].decode()
        self.assertEqual(fstab.split()[0], "/dev/vdn")
        self.assertEqual(guest_disk(10), "vdm")
        self.assertGreater(hosts.saves_mib(shape), 11 * 1024)

    def test_saved_or_shut_down(self) -> None:
        self.assertIn(f'XENDOMAINS_SAVE="{hosts.SAVES}"\n', hosts.xendomains("saved"))
        self.assertIn('XENDOMAINS_SAVE=""\n', hosts.xendomains("cold"))


class Scripts(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.said, self.ran = self.folder / "said", self.folder / "ran"
        real = self.folder / "xen"
        # save writes its file; whatever concerns g09 fails.
        real.write_text(f"""#!/bin/bash
printf '%s\\n' "$*" >> {self.ran}
[ "$1" = save ] && printf 12345 > "$3"
[[ "$*" == *g09* ]] && exit 7
exit 0
""")
        real.chmod(0o755)
        self.script = hosts.TIMED_XEN.replace("/usr/sbin/xen", str(real)).replace(
            f"> /dev/udp/{hosts.MARKS_IP}/{hosts.MARKS_PORT}", f">> {self.said}")

    def call(self, *words: str) -> tuple[int, list[str]]:
        self.said.write_text("")
        done = subprocess.run(["bash", "-c", self.script, "xen", *words])
        self.assertEqual(self.ran.read_text().splitlines()[-1], shlex.join(words))
        return done.returncode, self.said.read_text().splitlines()

    def test_marks(self) -> None:
        image = str(self.folder / "g01")
        for words, verb, name, size in (
                (("save", "3", image), "save", "g01", 5),
                (("restore", image), "restore", "g01", 5),
                (("create", "--quiet", "--defconfig", "/etc/xen/auto/g02.cfg"), "create", "g02", 0),
                (("shutdown", "4"), "shutdown", "4", 0), (("domid", "g03"), "domid", "g03", 0)):
            self.assertEqual(self.call(*words), (0, [f"bench: begin {verb} {name}",
                                                     f"bench: end {verb} {name} 0 {size}"]))

    def test_failures_pass_through(self) -> None:
        self.assertEqual(self.call("domid", "g09"), (7, ["bench: begin domid g09",
                                                        "bench: end domid g09 7 0"]))

    def test_silent_about_the_rest(self) -> None:
        for words in (("list", "-l"),
                      ("create", "--quiet", "--dryrun", "--defconfig", "/etc/xen/auto/g01.cfg")):
            self.assertEqual(self.call(*words), (0, []))

    def test_the_web_client_compiles(self) -> None:
        done = subprocess.run(["perl", "-c", "-e", cache.WEB], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
