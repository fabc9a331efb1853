# SPDX-License-Identifier: GPL-2.0-only
# bash completion for replication-trace

# Guests, written so that bash takes their names as they are: one may be called $(reboot), and
# compgen -W would run that. In a quote that has been begun a backslash would not always help.
_replication_trace_guests() {
    local name quoted
    while IFS= read -r name; do
        printf -v quoted %q "$name"
        case $cur in
            \"* | \'*)
                [[ $name == "${cur:1}"* && $name != *[\"\'\\\$\`\!]* ]] && COMPREPLY+=("$name")
                ;;
            *)
                [[ $name == "${cur//\\/}"* || $quoted == "$cur"* ]] && COMPREPLY+=("$quoted")
                ;;
        esac
    done < <(xl list 2>/dev/null | awk 'NR > 2 { print $1 }')
}

_replication_trace() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} words=
    COMPREPLY=()
    # "--out=F" is three words to bash.
    if [ "$cur" = = ]; then
        cur=
    elif [ "$previous" = = ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="record cost --help --version"
    else
        case $command/$previous/$cur in
            */--out/* | */--json/*) words=files ;;
            */--domain/*) _replication_trace_guests ;;
            */--pid/* | */--interval/* | */--epochs/* | */--warm-up/* | */--recorded-interval/* | \
                */--link/* | */--round-trip/*) ;;
            record/*/*)
                words="--out --pid --domain --interval --epochs --warm-up --help --version"
                ;;
            cost/*/-*)
                words="--recorded-interval --interval --link --round-trip --json --help --version"
                ;;
            cost/*/*) words=files ;;
        esac
    fi
    if [ "$words" = files ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
    elif [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    fi
}

complete -F _replication_trace replication-trace
