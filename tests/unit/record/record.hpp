// SPDX-License-Identifier: GPL-2.0-only
// The hypervisor's header, as C++ sees it.
#pragma once

extern "C" {
#include <xen/preserved-record.h>
}
