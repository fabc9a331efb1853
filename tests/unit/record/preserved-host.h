/* SPDX-License-Identifier: GPL-2.0-only */
/* What record.c and its header take from Xen, for a build in user space. */
#ifndef PRESERVED_HOST_H
#define PRESERVED_HOST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY /* for the state's size: Xen's lives on the stack */
#include <xxhash.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <public/preserved.h> /* XEN_PRESERVED_REASON_* */

struct xxh64_state {
    XXH64_state_t host;
};

static inline uint64_t xxh64(const void *from, size_t len, uint64_t seed)
{
    return XXH64(from, len, seed);
}

static inline void xxh64_reset(struct xxh64_state *state, uint64_t seed)
{
    XXH64_reset(&state->host, seed);
}

static inline int xxh64_update(struct xxh64_state *state, const void *from, size_t len)
{
    return XXH64_update(&state->host, from, len);
}

static inline uint64_t xxh64_digest(const struct xxh64_state *state)
{
    return XXH64_digest(&state->host);
}

#endif /* PRESERVED_HOST_H */
