# SPDX-License-Identifier: GPL-2.0-only
"""The paper's experiments on one lab host: warm, saved and cold reboots.

Runs piece after piece, keeps each result as it is obtained, and reports all of them. A guest that
is lost ends the run at once; what was obtained before stays, and --reuse goes on from there.
"""

import argparse
import json
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from lab import paths
from lab.errors import EnvironmentFailure, ProductFailure

from . import figures, hosts, report, shapes, ways
from .shapes import WAYS, Shape

Json = dict[str, Any]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-warm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=paths.TREE / "build" / "bench" / "warm",
                        help="folder of the pieces and the report")
    parser.add_argument("--guests", type=int, default=shapes.FULL,
                        help="most guests of 1 GiB (GUESTS)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 1024, 4096, 8192],
                        help="MiB of a single guest (BENCH_SIZES)")
    parser.add_argument("--early", action="store_true",
                        help="the warm way resumes before dom0's init (BENCH_EARLY)")
    parser.add_argument("--dom0", choices=["pv", "pvh"], default="pv",
                        help="dom0's type in all three ways; pvh needs an IOMMU, which the host "
                             "then has (BENCH_DOM0)")
    parser.add_argument("--reuse", action="store_true",
                        help="pieces that are there already are not run again")
    parser.add_argument("--only", nargs="*", metavar="WAY-NxMIB",
                        help="run only these pieces; report all that are there")
    parser.add_argument("--report", action="store_true", help="run nothing, report what is there")
    args = parser.parse_args()
    if args.guests < 1 or any(m < 128 for m in args.sizes):
        parser.error("at least one guest, of at least 128 MiB")
    return args


def file_of(args: argparse.Namespace, way: str, shape: Shape) -> Path:
    """A piece's result. What differs in more than its way is kept apart: --reuse must not mix."""
    early = "-early" if way == "warm" and args.early else ""
    dom0 = "-pvh" if args.dom0 == "pvh" else ""
    out: Path = args.out
    return out / f"{way}{early}{dom0}-{shape}.json"


def load(args: argparse.Namespace, wanted: list[Shape]) -> dict[tuple[str, Shape], Json]:
    return {(way, shape): json.loads(file_of(args, way, shape).read_text())
            for shape in wanted for way in WAYS if file_of(args, way, shape).exists()}


def write(path: Path, text: str) -> None:
    """At once: a run that is killed leaves no half of a file."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.rename(path)


def run_piece(args: argparse.Namespace, way: str, shape: Shape, memory: int, done: str) -> None:
    start = time.monotonic()

    def say(text: str) -> None:
        print(f"[{done}] {time.monotonic() - start:5.0f} s  {way} {shape}: {text}", flush=True)

    target = file_of(args, way, shape)
    # An old result must not stand beside the failure of a new one.
    target.unlink(missing_ok=True)
    result = ways.run(way, shape, memory=memory, dom0=args.dom0, early=args.early, probe=shape == shapes.PROBED,
                      folder=args.out, say=say)
    write(target, json.dumps(result, indent=1) + "\n")
    say("kept")


def write_report(args: argparse.Namespace, wanted: list[Shape]) -> None:
    pieces = load(args, wanted)
    found = figures.everything(pieces, wanted)
    text = report.text(found)
    print(text)
    write(args.out / "bench-warm.txt", text)
    document = found | {
        "targets": [vars(t) | {"verdict": t.verdict(t.value), "with_disk": dict(t.with_disk)}
                    for t in found["targets"]],
        "units": "seconds of instruction-counted time (an instruction is 2 ns), bytes, MiB",
        "pieces": {f"{way}-{shape}": piece for (way, shape), piece in pieces.items()}}
    write(args.out / "bench-warm.json", json.dumps(document, indent=1) + "\n")
    from . import page  # takes a second, and only here is it needed
    write(args.out / "bench-warm.html", page.page(found))
    for name in ("bench-warm.json", "bench-warm.txt", "bench-warm.html"):
        print(args.out / name)


def end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    args = arguments()
    # So that the machine's memory, a file, goes with a run that is cut.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = shapes.shapes(args.guests, args.sizes)
    todo = [] if args.report else [
        (way, shape) for shape in wanted for way in WAYS
        if (not args.only or f"{way}-{shape}" in args.only)
        and not (args.reuse and file_of(args, way, shape).exists())]
    if args.only and len(todo) < len(args.only) and not args.reuse:
        print(f"of {args.only} this run has only {[f'{w}-{s}' for w, s in todo]}",
              file=sys.stderr)
        return 2
    status = 0
    for index, (way, shape) in enumerate(todo):
        try:
            run_piece(args, way, shape, hosts.host_mib(wanted), f"{index + 1}/{len(todo)}")
        except (ProductFailure, EnvironmentFailure) as e:
            print(f"bench-warm: {way} {shape}: {e}", file=sys.stderr)
            print(f"bench-warm: its logs: {paths.RUNS / f'bench-{way}-{shape}'}, "
                  f"{args.out / f'{way}-{shape}.pcap'}", file=sys.stderr)
            status = 2 if isinstance(e, EnvironmentFailure) else 1
            break
        except Exception:
            # Whatever it is, the pieces before it are worth their report.
            traceback.print_exc()
            print(f"bench-warm: its logs: {paths.RUNS / f'bench-{way}-{shape}'}", file=sys.stderr)
            status = 1
            break
    write_report(args, wanted)
    if status:
        print(f"bench-warm: FAILED at {way} {shape}; the report has only what was obtained",
              file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
