# SPDX-License-Identifier: GPL-2.0-only
# Read by every bash that xl starts while it resumes a guest (BASH_ENV): a hotplug script of Xen's
# hands over to a program that does the same for a plain device in a twentieth of the time, and
# leaves all else to the script (roothammer-hotplug).
unset BASH_ENV
case $0 in
    /etc/xen/scripts/block|/etc/xen/scripts/vif-bridge)
        if [ -x "@libexec@/roothammer-hotplug" ]; then
            exec "@libexec@/roothammer-hotplug" "$0" "$@"
        fi ;;
esac
