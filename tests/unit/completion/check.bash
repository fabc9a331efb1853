#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check.bash FOLDER-OF-PROGRAMS COMPLETION-FILE...
set -u
programs=$1
shift
for file in "$@"; do
    # shellcheck source=/dev/null
    source "$file"
done
failures=0 checks=0

# offered FUNCTION WORD...: what is offered for the last word, one line, sorted.
offered() {
    local function=$1
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    $function
    printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}
expect() {
    local what=$1 wanted=$2 got=$3
    checks=$((checks + 1))
    if [ "$wanted" != "$got" ]; then
        echo "completion: $what: wanted '$wanted', got '$got'" >&2
        failures=$((failures + 1))
    fi
}
# options PROGRAM...: the options its help lists.
options() { "$@" --help | grep -oE '^ +--[a-z-]+' | sort -u | xargs; }

# Instead of the programs, which need a host. The completion calls them.
# shellcheck disable=SC2317
roothammer() {
    printf '%s\n' '{' '  "guests": [' '    {' '      "name": "web",' '      "set": 1' '    },' \
        '    {' '      "name": "db"' '    }' '  ]' '}'
}
# shellcheck disable=SC2317
systemctl() { echo "lvm2-monitor.service loaded active exited x"; }

expect "xl-warm-reboot's options" "$(options "$programs/xl-warm-reboot")" \
    "$(offered _xl_warm_reboot xl-warm-reboot --)"
expect "policy's options" "$(options "$programs/roothammer" policy)" \
    "$(offered _roothammer roothammer policy --)"
# All commands but freeze, which is its service's alone.
expect "roothammer's commands" \
    "$("$programs/roothammer" --help | sed -nE 's/^  ([a-z]+) .*/\1/p' | grep -v freeze | sort | xargs)" \
    "$(offered _roothammer roothammer "" | sed -E 's/--(help|version)//g' | xargs)"
# Each option of roothammer's is some command's.
expect "the commands' options" "$(options "$programs/roothammer")" \
    "$({ for command in list resume timeline; do
        offered _roothammer roothammer "$command" -- | xargs -n 1
    done; printf '%s\n' --help --version; } | sort -u | xargs)"
expect "a command begun" "rescue resume" "$(offered _roothammer roothammer res)"
expect "guests to resume" "db web" "$(offered _roothammer roothammer resume "")"
expect "a second guest to resume" "web" "$(offered _roothammer roothammer resume db w)"
expect "no guest as a number of tries" "" "$(offered _roothammer roothammer resume --tries "")"
expect "guests to discard" 'db set\ 1 unreadable web' "$(offered _roothammer roothammer discard "")"
expect "guests to rescue" 'db set\ 1 web' "$(offered _roothammer roothammer rescue "")"
expect "a set's number" 'set\ 1' "$(offered _roothammer roothammer rescue 'set\ ')"
expect "a set's number, quoted" 'set 1' "$(offered _roothammer roothammer rescue "'set ")"
expect "nothing after the guest to discard" "" "$(offered _roothammer roothammer discard web "")"
expect "a policy on failure" "abort shutdown" \
    "$(offered _xl_warm_reboot xl-warm-reboot --on-guest-failure "")"
expect "units" "lvm2-monitor.service" "$(offered _xl_warm_reboot xl-warm-reboot --keep "")"
expect "files" "Makefile" "$(cd "$(dirname "$0")/../../.." && offered _xl_warm_reboot xl-warm-reboot --xen Makef)"
expect "files of a policy" "Makefile" \
    "$(cd "$(dirname "$0")/../../.." && offered _roothammer roothammer policy --config Makef)"
expect "a file after =" "Makefile" \
    "$(cd "$(dirname "$0")/../../.." && offered _xl_warm_reboot xl-warm-reboot --xen = Makef)"
expect "a word after =" "shutdown" "$(offered _xl_warm_reboot xl-warm-reboot --on-guest-failure = sh)"
expect "replication-trace's commands" "--help --version cost record" \
    "$(offered _replication_trace replication-trace "")"
for command in record cost; do
    expect "the options of $command" "$(options "$programs/replication-trace" "$command")" \
        "$(offered _replication_trace replication-trace "$command" --)"
done
expect "a trace" "Makefile" \
    "$(cd "$(dirname "$0")/../../.." && offered _replication_trace replication-trace cost Makef)"
expect "no number" "" "$(offered _replication_trace replication-trace record --pid "")"

# A name is data, whatever it would mean to bash: guests of that name, and a unit.
# shellcheck disable=SC2016,SC2317
roothammer() { printf '%s\n' '      "name": "$(>ran)",' '      "name": "web"'; }
# shellcheck disable=SC2016,SC2317
systemctl() { printf '%s loaded active exited x\n' '$(>ran)' 'dev-a\x2db.device'; }
# shellcheck disable=SC2016,SC2317
xl() { printf '%s 1 64 1 --s--- 0.1\n' Name Domain-0 '$(>ran)' web; }
nowhere=$(mktemp -d)
offered_there() { cd "$nowhere" && offered "$@"; }
name='\$\(\>ran\)'
for command in resume recover rescue; do
    expect "what bash would run, to $command" "$name web" \
        "$(offered_there _roothammer roothammer "$command" "")"
done
expect "what bash would run, begun" "$name" "$(offered_there _roothammer roothammer resume '\$\(')"
expect "what bash would run, in a quote" "web" "$(offered_there _roothammer roothammer resume '"')"
expect "what bash would run, to keep" "$name dev-a\\\\x2db.device" \
    "$(offered_there _xl_warm_reboot xl-warm-reboot --keep "")"
expect "a unit begun" "dev-a\\\\x2db.device" \
    "$(offered_there _xl_warm_reboot xl-warm-reboot --keep 'dev-a\\x')"
expect "what bash would run, to record" "$name web" \
    "$(offered_there _replication_trace replication-trace record --domain "")"
expect "nothing was run" "" "$(ls "$nowhere")"
rm -r "$nowhere"
echo "$((checks - failures)) passed, $failures failed"
exit $((failures > 0))
