# SPDX-License-Identifier: GPL-2.0-only
# bash completion for roothammer and xl-warm-reboot

# Names of preserved guests. Quick and without a word of complaint: root may not be asking.
_roothammer_guests() {
    roothammer list --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",\{0,1\}$/\1/p'
}

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
    if [ "$COMP_CWORD" -eq 1 ]; then
        _roothammer_words "list resume rescue discard recover timeline policy --help --version"
        return
    fi
    case $command in
        list) _roothammer_words "--json --expect-none" ;;
        timeline) _roothammer_words "--json" ;;
        resume)
            [ "$previous" = --tries ] && return
            case $cur in
                -*) _roothammer_words "--json --paused --tries" ;;
                *) _roothammer_words "$(_roothammer_guests)" ;;
            esac
            ;;
        rescue)
            if [ "$COMP_CWORD" -eq 2 ]; then
                _roothammer_words "$(_roothammer_guests)"
            elif [ "$COMP_CWORD" -eq 3 ]; then
                _roothammer_files
            fi
            ;;
        discard)
            [ "$COMP_CWORD" -eq 2 ] && _roothammer_words "$(_roothammer_guests) unreadable"
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
    case $previous in
        --xen | --kernel | --initrd) _roothammer_files ;;
        --on-guest-failure) _roothammer_words "abort shutdown" ;;
        --keep)
            _roothammer_words "$(systemctl list-units --plain --no-legend --state=active \
                2>/dev/null | cut -d' ' -f1)"
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
