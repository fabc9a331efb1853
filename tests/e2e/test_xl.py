# SPDX-License-Identifier: GPL-2.0-only
"""The patched xl: a subcommand that it does not know is a program of its own."""

import json

from lab import paths
from lab.warm import PAIR, dry_run

XL = "/usr/lib/xen-4.17/bin/xl"


def test_warm_reboot_is_a_subcommand(start):
    host = start(guests=PAIR)
    unknown = host.dom0("xl warm-reboot --dry-run", check=False)
    assert unknown.code != 0 and "not implemented" in unknown.err, "Debian's xl must not know it"
    host.dom0(f"rm {XL}")
    host.ssh.put(paths.need(paths.XL).read_bytes(), XL, "755")
    assert "\n warm-reboot " in host.dom0("xl help").out
    usage = host.dom0("xl-warm-reboot --help").out
    assert host.dom0("xl help warm-reboot").out == usage
    direct = dry_run(host)
    through = host.dom0("xl warm-reboot --dry-run --json", check=False)
    assert through.code == direct.code == 0
    assert [g["name"] for g in dry_run(host).json()["guests"]] == \
        [g["name"] for g in json.loads(through.out)["guests"]]
    # Exit codes pass through; xl's own commands are as ever; nothing leads out of the folder.
    assert host.dom0("xl warm-reboot --no-such-option", check=False).code == \
        host.dom0("xl-warm-reboot --no-such-option", check=False).code != 0
    assert {"db", "old"} <= host.domains().keys()
    for name in ("no-such-command", "../../../../bin/true", "WARM-REBOOT"):
        refused = host.dom0(f"xl {name}", check=False)
        assert refused.code != 0 and "not implemented" in refused.err, name
    assert "dryrun" in host.dom0("xl -N warm-reboot", check=False).err
