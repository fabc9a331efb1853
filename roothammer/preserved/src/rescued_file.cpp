// SPDX-License-Identifier: GPL-2.0-only
#include "preserved/rescued_file.hpp"

#include <algorithm>

#include "preserved/guest_record.hpp"
#include "xen/pv_state.hpp"

namespace warmvm {
namespace {

constexpr std::uint64_t entries = page_size / sizeof(std::uint64_t);
constexpr std::uint64_t present = 1u << 0;
constexpr std::uint64_t superpage = 1u << 7;
constexpr std::uint64_t address_mask = 0x000ffffffffff000;
constexpr std::uint32_t top_level = 4;
// HYPERVISOR_VIRT_START..END of a 64-bit guest: Xen's own entries of an L4.
constexpr std::uint64_t first_xen_slot = 256;
constexpr std::uint64_t last_xen_slot = 272;
// XEN_DOMCTL_PFINFO_*, as the stream has them: the level, and a bit for pinned.
constexpr unsigned type_shift = 60;
constexpr std::uint64_t type_pinned = 8;
// libxc writes as many in a batch (xg_sr_common.h: MAX_BATCH_SIZE).
constexpr std::size_t batch_pages = 1024;

bool is_xens(std::uint32_t level, std::uint64_t slot) {
    return level == top_level && slot >= first_xen_slot && slot <= last_xen_slot;
}

Pfn target(std::uint64_t pte, std::uint32_t level, const FrameMap& frames) {
    if (level > 1 && (pte & superpage)) {
        throw Error(StreamErrc::bad_value, "a page table has a superpage");
    }
    const auto pfn = frames.pfn(Mfn((pte & address_mask) >> page_shift));
    if (!pfn) {
        throw Error(StreamErrc::bad_value, "a page table maps a frame that is not the guest's");
    }
    return *pfn;
}

class TableWalk {
  public:
    TableWalk(const FrameMap& frames, const std::function<Page(Mfn)>& read)
        : frames_(frames), read_(read) {}

    TableTypes run() {
        for (const auto& extent : frames_.extents()) {
            if (!extent.pin) continue;
            visit(Pfn(extent.gfn), extent.pin);
            types_[Pfn(extent.gfn)].pinned = true;
        }
        return std::move(types_);
    }

  private:
    void visit(Pfn pfn, std::uint32_t level) {
        const auto [type, is_new] = types_.try_emplace(pfn, TableType{level, false});
        if (type->second.level != level) {
            throw Error(StreamErrc::bad_value, "a page is a page table of two levels");
        }
        if (!is_new || level == 1) return;
        const auto table = read_(*frames_.mfn(pfn));
        for (std::uint64_t slot = 0; slot < entries; ++slot) {
            if (is_xens(level, slot)) continue;
            const auto pte = load_at<std::uint64_t>(table, slot * sizeof(std::uint64_t));
            if (pte & present) visit(target(pte, level, frames_), level - 1);
        }
    }

    const FrameMap& frames_;
    const std::function<Page(Mfn)>& read_;
    TableTypes types_;
};

class Rescuer {
  public:
    Rescuer(PreservedMemory& preserved, SetId set, const SaveFile& file,
            const std::function<void(ByteView)>& write)
        : preserved_(preserved),
          file_(file),
          write_(write),
          frames_(preserved.extents(set)),
          record_(decode_guest_record(file.image.get(RecordType::preserved_memory).body)) {}

    void run() {
        if (frames_.frames() != record_.frames) {
            throw Error(StreamErrc::bad_value, "the set and the guest's record disagree");
        }
        if (file_.image.is_pv) {
            check_pfns();
            tables_ = find_page_tables(frames_, [this](Mfn mfn) {
                Page page;
                preserved_.read(mfn, page);
                return page;
            });
        }
        Bytes head = file_.prefix;
        append_image_headers(head, file_.image);
        write_(head);
        for (const auto& record : file_.image.records) {
            if (record.type == RecordType::preserved_memory) {
                write_memory();
            } else {
                write_record(record.type, record.body);
            }
        }
        write_record(RecordType::end, {});
        write_(file_.suffix);
    }

  private:
    void check_pfns() {
        const auto p2m = decode_p2m_frames(file_.image.get(RecordType::x86_pv_p2m_frames).body);
        if (frames_.extents().empty()) throw Error(StreamErrc::bad_value, "the set has no frames");
        const auto& last = frames_.extents().back();
        if (last.gfn + last.count - 1 > p2m.max_pfn) {
            throw Error(StreamErrc::bad_value, "the guest has a frame beyond its p2m");
        }
    }

    void write_record(RecordType type, ByteView body) {
        Bytes bytes;
        append_record(bytes, type, body);
        write_(bytes);
    }

    void write_memory() {
        for (const auto& extent : frames_.extents()) {
            for (std::uint32_t done = 0; done < extent.count;) {
                const auto room = batch_pages - pfns_.size();
                const auto count = std::min<std::size_t>(extent.count - done, room);
                take(extent.gfn + done, Mfn(extent.mfn.value() + done), count);
                done += static_cast<std::uint32_t>(count);
                if (pfns_.size() == batch_pages) flush();
            }
        }
        flush();
    }

    void take(std::uint64_t pfn, Mfn mfn, std::size_t count) {
        const auto at = pages_.size();
        pages_.resize(at + count * page_size);
        preserved_.read(mfn, std::span(pages_).subspan(at));
        for (std::size_t i = 0; i < count; ++i) {
            std::uint64_t word = pfn + i;
            const auto page = std::span(pages_).subspan(at + i * page_size, page_size);
            if (file_.image.is_pv) word |= make_portable(Pfn(pfn + i), page);
            pfns_.push_back(word);
        }
    }

    // The page as a save file has it; its type, in place.
    std::uint64_t make_portable(Pfn pfn, std::span<std::byte> bytes) {
        Page page;
        std::ranges::copy(bytes, page.begin());
        std::uint64_t type = 0;
        if (const auto table = tables_.find(pfn); table != tables_.end()) {
            normalise_page_table(page, table->second.level, frames_);
            type = table->second.level | (table->second.pinned ? type_pinned : 0);
        } else if (pfn == Pfn(record_.start_info_pfn)) {
            // A resume that failed may have left mfns there.
            write_start_info_rings(page, {Pfn(record_.store_gfn), Pfn(record_.console_gfn)});
        }
        std::ranges::copy(page, bytes.begin());
        return type << type_shift;
    }

    void flush() {
        if (pfns_.empty()) return;
        Bytes body;
        append(body, static_cast<std::uint32_t>(pfns_.size()));
        append(body, std::uint32_t{0});
        for (const auto pfn : pfns_) append(body, pfn);
        append(body, pages_);
        write_record(RecordType::page_data, body);
        pfns_.clear();
        pages_.clear();
    }

    PreservedMemory& preserved_;
    const SaveFile& file_;
    const std::function<void(ByteView)>& write_;
    FrameMap frames_;
    GuestRecord record_;
    TableTypes tables_;
    std::vector<std::uint64_t> pfns_;
    Bytes pages_;
};

}  // namespace

TableTypes find_page_tables(const FrameMap& frames, const std::function<Page(Mfn)>& read) {
    return TableWalk(frames, read).run();
}

void normalise_page_table(Page& table, std::uint32_t level, const FrameMap& frames) {
    for (std::uint64_t slot = 0; slot < entries; ++slot) {
        const auto at = slot * sizeof(std::uint64_t);
        auto pte = load_at<std::uint64_t>(table, at);
        if (is_xens(level, slot)) {
            pte = 0;
        } else if (pte & present) {
            pte = (pte & ~address_mask) | target(pte, level, frames).value() << page_shift;
        }
        store_at(table, at, pte);
    }
}

void write_rescued(PreservedMemory& preserved, SetId set, const SaveFile& file,
                   const std::function<void(ByteView)>& write) {
    Rescuer(preserved, set, file, write).run();
}

}  // namespace warmvm
