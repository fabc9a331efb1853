// SPDX-License-Identifier: GPL-2.0-only
#include "read_record.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace record_test {
namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "record: %s\n", what);
    std::abort();
}

// The frame table: which set wants a frame, or that the record itself lies there.
constexpr std::uint16_t nobody = 0;
constexpr std::uint16_t record_page = 0xffff;
using FrameTable = std::vector<std::uint16_t>;

int mark_page(std::uint64_t mfn, void* arg) {
    auto& table = *static_cast<FrameTable*>(arg);
    require(mfn < table.size(), "a page of a chain that was checked is not RAM");
    if (table[mfn] != nobody) return XEN_PRESERVED_REASON_OVERLAP;
    table[mfn] = record_page;
    return 0;
}

int mark_chain(const preserved_chain& chain, FrameTable& table) {
    return preserved_chain_pages(&chain, mark_page, &table);
}

void mark_frames(std::vector<ReadSet>& sets, std::size_t nr, FrameTable& table) {
    const auto self = static_cast<std::uint16_t>(nr + 1);
    for (const auto& run : sets[nr].runs) {
        for (std::uint64_t mfn = run.mfn; mfn < run.mfn + run.count; ++mfn) {
            auto& owner = table[mfn];
            if (owner != nobody) {
                sets[nr].reason = XEN_PRESERVED_REASON_OVERLAP;
                if (owner != record_page) sets[owner - 1u].reason = XEN_PRESERVED_REASON_OVERLAP;
                return;
            }
            owner = self;
        }
    }
}

void read_runs(ReadSet& set) {
    preserved_cursor cursor;
    preserved_run run;
    std::uint64_t frames = 0;
    preserved_cursor_start(&cursor, &set.rec.extents);
    while (preserved_cursor_next(&cursor, &run) > 0) {
        require(run.count >= 1 && run.count <= PRESERVED_COUNT_MAX, "an extent's count");
        require(run.mfn + run.count > run.mfn && run.gfn + run.count > run.gfn, "a run wraps");
        require(run.mfn + run.count <= max_page, "a frame of a set that was checked is not RAM");
        require(run.pin <= 4 && (!run.pin || run.count == 1), "an extent's pin");
        frames += run.count;
        set.runs.push_back(run);
    }
    require(frames == set.rec.frames, "a set's frames are not those of its extents");
    require(set.runs.size() == set.rec.nr_extents, "a set's number of extents");
    require(cursor.next == set.rec.nr_extents, "a cursor's position");
}

void read_keep(const preserved_chain& keep, ReadRecord& record) {
    static preserved_keep k;
    preserved_reader reader;
    preserved_read_start(&reader, &keep);
    while (preserved_read(&reader, &k, sizeof(k)) == sizeof(k)) {
        for (std::uint64_t i = 0; i < PRESERVED_KEEP_BITS; ++i) {
            if (!k.bits[i / 64]) {
                i |= 63;
                continue;
            }
            if (!(k.bits[i / 64] & (1ULL << (i % 64)))) continue;
            if (k.base > max_page || !preserved_ram(k.base + i, 1)) continue;
            require(k.base + i < max_page, "a kept frame is not RAM");
            record.kept.push_back(k.base + i);
        }
    }
}

bool too_long(const preserved_chain& chain, std::uint64_t max) {
    return chain.bytes > max && chain.bytes <= PRESERVED_CHAIN_MAX;
}

}  // namespace

ReadRecord read_record(const Page& crumb_page, std::uint64_t max_chain_bytes) {
    ReadRecord record;
    const preserved_crumb* found = preserved_crumb_find(crumb_page.bytes.data());
    if (!found) return record;
    auto& crumb = record.crumb.emplace();
    std::memcpy(&crumb, found, std::min<std::size_t>(found->size, sizeof(crumb)));
    if (crumb.version != PRESERVED_VERSION) {
        crumb.table = {};
        crumb.tsc_armed = crumb.tsc_jump = crumb.wallclock_us = 0;
    }
    FrameTable table(max_page, nobody);

    if (too_long(crumb.table, max_chain_bytes) || too_long(crumb.keep, max_chain_bytes)) {
        record.too_long = true;
        return record;
    }

    if (crumb.version != PRESERVED_VERSION) {
        record.record_reason = XEN_PRESERVED_REASON_VERSION;
    } else if (crumb.table.bytes % sizeof(preserved_set_rec) ||
               crumb.table.bytes > PRESERVED_MAX_SETS * sizeof(preserved_set_rec)) {
        record.record_reason = XEN_PRESERVED_REASON_LENGTH;
    } else {
        record.record_reason = preserved_chain_check(&crumb.table);
    }
    if (!record.record_reason) record.record_reason = mark_chain(crumb.table, table);

    if (!record.record_reason) {
        preserved_reader reader;
        preserved_set_rec rec;
        preserved_read_start(&reader, &crumb.table);
        while (preserved_read(&reader, &rec, sizeof(rec)) == sizeof(rec)) {
            ReadSet set{rec, 0, 0, {}, {}};
            if (rec.flags & PRESERVED_REC_UNREADABLE) {
                set.reason = rec.reason ? rec.reason : XEN_PRESERVED_REASON_ENCODING;
            } else if (too_long(rec.extents, max_chain_bytes) ||
                       too_long(rec.blob, max_chain_bytes)) {
                record.too_long = true;
                return record;
            } else {
                set.reason = preserved_set_check(&rec, &set.where);
            }
            if (!set.reason) set.reason = mark_chain(rec.extents, table);
            if (!set.reason) set.reason = mark_chain(rec.blob, table);
            if (!set.reason) {
                read_runs(set);
                set.blob = read_bytes(rec.blob);
                require(set.blob.size() == rec.blob.bytes, "a blob's length");
            }
            record.sets.push_back(std::move(set));
            if (!record.sets.back().reason) mark_frames(record.sets, record.sets.size() - 1, table);
        }
        require(record.sets.size() == crumb.table.bytes / sizeof(rec), "the number of sets");
    }

    const bool orphans =
        record.record_reason || (crumb.flags & PRESERVED_CRUMB_ORPHANS) ||
        std::any_of(record.sets.begin(), record.sets.end(), [](auto& s) { return s.reason; });
    if (orphans) {
        record.keep_reason = preserved_chain_check(&crumb.keep);
        if (!*record.keep_reason || *record.keep_reason == XEN_PRESERVED_REASON_CHECKSUM) {
            read_keep(crumb.keep, record);
        }
    }
    return record;
}

namespace {

void seal_chain(preserved_chain& chain, std::uint64_t max) {
    if (chain.bytes <= max && preserved_chain_check(&chain) == XEN_PRESERVED_REASON_CHECKSUM) {
        chain.xxh64 = preserved_chain_hash(&chain);
    }
}

// Writes into a chain that was sound before. What is written may lie over its own index.
void overwrite(const preserved_chain& chain, std::uint64_t at, const void* from, std::size_t len) {
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    auto& memory = FakeMemory::current();
    for (std::size_t i = 0; i < len; ++i, ++at) {
        std::uint64_t slot = at / PRESERVED_PAGE;
        const auto* index = memory.find(chain.index_mfn);
        preserved_index copy{};
        for (; index; slot -= PRESERVED_INDEX_NR, index = memory.find(copy.next_mfn)) {
            std::memcpy(&copy, index->bytes.data(), sizeof(copy));
            if (slot < PRESERVED_INDEX_NR) break;
        }
        auto* page = index ? memory.find(copy.mfn[slot]) : nullptr;
        if (!page) return;
        page->bytes[at % PRESERVED_PAGE] = bytes[i];
    }
}

void seal_crumb(std::uint8_t* at, std::uint64_t max) {
    preserved_crumb crumb;
    std::memcpy(&crumb, at, sizeof(crumb));
    seal_chain(crumb.keep, max);
    const int state =
        crumb.table.bytes > max ? XEN_PRESERVED_REASON_LENGTH : preserved_chain_check(&crumb.table);
    if (!state || state == XEN_PRESERVED_REASON_CHECKSUM) {
        auto bytes = read_bytes(crumb.table);
        preserved_set_rec rec;
        for (std::size_t i = 0; i + sizeof(rec) <= bytes.size(); i += sizeof(rec)) {
            std::memcpy(&rec, &bytes[i], sizeof(rec));
            seal_chain(rec.extents, max);
            seal_chain(rec.blob, max);
            std::memcpy(&bytes[i], &rec, sizeof(rec));
        }
        overwrite(crumb.table, 0, bytes.data(), bytes.size());
        seal_chain(crumb.table, max);
    }
    crumb.xxh64 = xxh64(&crumb, offsetof(preserved_crumb, xxh64), 0);
    std::memcpy(at, &crumb, sizeof(crumb));
}

}  // namespace

void reseal(Page& crumb_page, std::uint64_t max_chain_bytes) {
    seal_crumb(crumb_page.bytes.data(), max_chain_bytes);
    seal_crumb(crumb_page.bytes.data() + PRESERVED_CRUMB_COPY, max_chain_bytes);
}

preserved_chain write_bytes(const std::vector<std::uint8_t>& bytes) {
    preserved_writer writer{};
    require(preserved_write(&writer, bytes.data(), bytes.size()) == 0, "no memory");
    preserved_write_finish(&writer);
    return writer.chain;
}

std::vector<std::uint8_t> read_bytes(const preserved_chain& chain) {
    std::vector<std::uint8_t> bytes(chain.bytes);
    preserved_reader reader;
    preserved_read_start(&reader, &chain);
    bytes.resize(preserved_read(&reader, bytes.data(), bytes.size()));
    return bytes;
}

preserved_chain write_runs(const std::vector<preserved_run>& runs) {
    preserved_writer writer{};
    for (const auto& run : runs) require(preserved_write_run(&writer, &run) == 0, "no memory");
    preserved_write_finish(&writer);
    return writer.chain;
}

std::vector<SetToWrite> sample_sets() {
    SetToWrite pvh{}, pv{};
    pvh.rec.id = 1;
    pvh.rec.domid = 5;
    pvh.rec.type = XEN_PRESERVED_HVM;
    pvh.rec.generation = 2;
    pvh.rec.tsc[0] = 0x1111111111;
    pvh.rec.tsc[1] = 0x1111122222;
    pvh.rec.ticks = 0x11111;
    pvh.runs = {{0, 0x2000, 512, 0}, {512, 0x1800, 160, 0}, {0xfeffc, 0x8fff, 1, 0}};
    pvh.blob = {'p', 'v', 'h', 0, 1, 2, 3};

    pv.rec.id = 7;
    pv.rec.domid = 6;
    pv.rec.type = XEN_PRESERVED_PV;
    pv.rec.tsc[0] = 0x2222222222;
    pv.rec.tsc[1] = 0x2222233333;
    pv.rec.ticks = 0x22222;
    pv.runs = {{0x20, 0x7000, 1, 4}, {0x21, 0x7001, 1, 1}, {0x22, 0x7002, 60, 0},
               {0x10, 0x6fff, 1, 0}, {0x11, 0x6ffd, 1, 2}, {0x12, 0x6ffb, 1, 0}};
    pv.blob.resize(40, 0x5a);
    for (unsigned i = 0; i < 16; ++i) {
        pvh.rec.handle[i] = static_cast<std::uint8_t>(0xa0 + i);
        pv.rec.handle[i] = static_cast<std::uint8_t>(0xb0 + i);
    }
    return {pvh, pv};
}

preserved_crumb write_record(std::vector<SetToWrite>& sets, Page& crumb_page) {
    preserved_writer table{}, keep{};
    std::map<std::uint64_t, preserved_keep*> map;

    for (auto& set : sets) {
        set.rec.extents = write_runs(set.runs);
        set.rec.blob = write_bytes(set.blob);
        set.rec.nr_extents = set.runs.size();
        set.rec.frames = 0;
        for (const auto& run : set.runs) {
            set.rec.frames += run.count;
            for (std::uint64_t mfn = run.mfn; mfn < run.mfn + run.count; ++mfn) {
                auto& k = map[mfn / PRESERVED_KEEP_BITS];
                if (!k) {
                    k = static_cast<preserved_keep*>(preserved_write_page(&keep));
                    require(k, "no memory");
                    k->base = mfn - mfn % PRESERVED_KEEP_BITS;
                }
                const std::uint64_t bit = mfn % PRESERVED_KEEP_BITS;
                k->bits[bit / 64] |= 1ULL << (bit % 64);
            }
        }
        require(preserved_write(&table, &set.rec, sizeof(set.rec)) == 0, "no memory");
    }
    preserved_write_finish(&table);
    preserved_write_finish(&keep);

    preserved_crumb crumb{};
    crumb.generation = 3;
    crumb.token = sample_token;
    crumb.keep = keep.chain;
    crumb.version = PRESERVED_VERSION;
    crumb.table = table.chain;
    crumb.tsc_armed = 0x3333333333;
    crumb.tsc_jump = 0x3333344444;
    crumb.wallclock_us = 0x6123456789abc;
    preserved_crumb_seal(&crumb, crumb_page.bytes.data());
    return crumb;
}

void free_record(preserved_crumb& crumb, std::vector<SetToWrite>& sets) {
    for (auto& set : sets) {
        preserved_chain_free(&set.rec.extents);
        preserved_chain_free(&set.rec.blob);
    }
    preserved_chain_free(&crumb.table);
    preserved_chain_free(&crumb.keep);
}

}  // namespace record_test
