# SPDX-License-Identifier: GPL-2.0-only
# bash completion for roothammer and xl-warm-reboot

# Names of preserved guests. Quick and without a word of complaint: root may not be asking.
_roothammer_guests() {
    roothammer list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",\{0,1\}$/\1/p'
}

# Offers those lines of its input that begin with what has been typed, written so that bash takes them
# as they are. A guest may be called $(reboot), and compgen -W would run that.
_roothammer_names() {
    local name quoted
    while IFS= read -r name; do
        printf -v quoted %q "$name"
        case $cur in
            \"* | \'*)
                # bash ends the quote, in which a backslash would not always help.
                [[ $name == "${cur:1}"* && $name != *[\"\'\\\$\`\!]* ]] && COMPREPLY+=("$name")
                ;;
            *)
                [[ -n $name && ($name == "${cur//\\/}"* || $quoted == "$cur"*) ]] &&
                    COMPREPLY+=("$quoted")
                ;;
        esac
    done
}

# Preserved guests and their numbers, by which rescue and discard know them too: "set 3" is one word.
_roothammer_guests_and_sets() {
    _roothammer_guests
    roothammer list --json 2>/dev/null | sed -n 's/^ *"set": \([0-9]*\),\{0,1\}$/set \1/p'
}

# "--xen=/boot" is three words to bash; both ways of writing are one here.
_roothammer_split_equals() {
    if [ "$cur" = = ]; then
        cur=
    elif [ "$previous" = = ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
}

# Names of guests that are suspended: the fifth column of xl's list.
_roothammer_suspended() {
    xl list 2>/dev/null | awk 'NR > 2 && $5 ~ /s/ { print $1 }'
}

# Of words that are written here only, for they are expanded.
_roothammer_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_roothammer_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
}

_roothammer() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]}
    COMPREPLY=()
    _roothammer_split_equals
    if [ "$COMP_CWORD" -eq 1 ]; then
        _roothammer_words "list resume rescue discard recover timeline policy --help --version"
        return
    fi
    case $command in
        list) _roothammer_words "--json --expect-none" ;;
        timeline) _roothammer_words "--json" ;;
        recover) _roothammer_names < <(_roothammer_suspended) ;;
        resume)
            [ "$previous" = --tries ] && return
            case $cur in
                -*) _roothammer_words "--json --paused --tries" ;;
                *) _roothammer_names < <(_roothammer_guests) ;;
            esac
            ;;
        rescue)
            if [ "$COMP_CWORD" -eq 2 ]; then
                _roothammer_names < <(_roothammer_guests_and_sets)
            elif [ "$COMP_CWORD" -eq 3 ]; then
                _roothammer_files
            fi
            ;;
        discard)
            [ "$COMP_CWORD" -eq 2 ] &&
                _roothammer_names < <(_roothammer_guests_and_sets; echo unreadable)
            ;;
        policy)
            if [ "$previous" = --config ]; then
                _roothammer_files
            else
                _roothammer_words "--config --dry-run --explain --json --reset --help --version"
            fi
            ;;
    esac
}

_xl_warm_reboot() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    _roothammer_split_equals
    case $previous in
        --xen | --kernel | --initrd) _roothammer_files ;;
        --on-guest-failure) _roothammer_words "abort shutdown" ;;
        --keep)
            _roothammer_names < <(systemctl list-units --plain --no-legend --state=active \
                2>/dev/null | cut -d' ' -f1)
            ;;
        --timeout | --xen-cmdline | --kernel-cmdline) ;;
        *)
            _roothammer_words "--xen --kernel --initrd --xen-cmdline --kernel-cmdline --timeout
                --on-guest-failure --keep --dry-run --json --help --version"
            ;;
    esac
}

complete -F _roothammer roothammer
complete -F _xl_warm_reboot xl-warm-reboot
