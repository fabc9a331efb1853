// SPDX-License-Identifier: GPL-2.0-only
#include "peers.hpp"

#include <lz4.h>
#include <zstd.h>

#include <bit>
#include <cstring>
#include <stdexcept>

#include "xbzrle.hpp"
#include "xdelta3.hpp"

namespace replication::bench {
namespace {

struct FreeCCtx {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDCtx {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

std::size_t checked(std::size_t result) {
    if (ZSTD_isError(result)) throw std::runtime_error(ZSTD_getErrorName(result));
    return result;
}

class Memcpy : public Coder {
  public:
    Memcpy() : Coder("memcpy") {}
    Keeps keeps() const override { return Keeps::nothing; }
    void prepare(const EpochPages& epoch, const ReferenceImage&) override {
        copy_.resize(epoch.data.size());
    }
    std::size_t encode(const EpochPages& epoch, const ReferenceImage&) override {
        std::memcpy(copy_.data(), epoch.data.data(), epoch.data.size());
        return copy_.size();
    }
    void decode(const EpochPages&, const ReferenceImage&, std::byte* out) override {
        std::memcpy(out, copy_.data(), copy_.size());
    }

  private:
    Bytes copy_;
};

class Lz4 : public Coder {
  public:
    Lz4() : Coder("lz4") {}
    Keeps keeps() const override { return Keeps::nothing; }
    void prepare(const EpochPages& epoch, const ReferenceImage&) override {
        const int size = static_cast<int>(epoch.data.size());
        coded_.resize(static_cast<std::size_t>(LZ4_compressBound(size)));
    }
    std::size_t encode(const EpochPages& epoch, const ReferenceImage&) override {
        const int size = static_cast<int>(epoch.data.size());
        coded_size_ = LZ4_compress_default(reinterpret_cast<const char*>(epoch.data.data()),
                                           reinterpret_cast<char*>(coded_.data()), size,
                                           static_cast<int>(coded_.size()));
        return static_cast<std::size_t>(coded_size_);
    }
    void decode(const EpochPages& epoch, const ReferenceImage&, std::byte* out) override {
        LZ4_decompress_safe(reinterpret_cast<const char*>(coded_.data()),
                            reinterpret_cast<char*>(out), coded_size_,
                            static_cast<int>(epoch.data.size()));
    }

  private:
    Bytes coded_;
    int coded_size_ = 0;
};

class Xbzrle : public Coder {
  public:
    Xbzrle() : Coder("xbzrle") {}
    Keeps keeps() const override { return Keeps::shared; }
    void prepare(const EpochPages& epoch, const ReferenceImage&) override {
        coded_.resize(epoch.data.size() + xbzrle_bound);
        lengths_.resize(epoch.pfns.size());
    }
    std::size_t encode(const EpochPages& epoch, const ReferenceImage& reference) override {
        std::byte* out = coded_.data();
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i) {
            const std::byte* page = epoch.data.data() + i * page_size;
            const auto size = xbzrle_encode(reference.page(epoch.pfns[i]), page, out);
            if (!size) std::memcpy(out, page, page_size);
            lengths_[i] = size ? static_cast<std::uint16_t>(*size) : raw;
            out += size.value_or(page_size);
        }
        // The length of a page is two bytes of the published stream.
        return static_cast<std::size_t>(out - coded_.data()) + 2 * epoch.pfns.size();
    }
    void decode(const EpochPages& epoch, const ReferenceImage& reference, std::byte* out) override {
        const std::byte* in = coded_.data();
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i, out += page_size) {
            if (lengths_[i] == raw) {
                std::memcpy(out, in, page_size);
                in += page_size;
            } else {
                std::memcpy(out, reference.page(epoch.pfns[i]), page_size);
                xbzrle_decode(in, lengths_[i], out);
                in += lengths_[i];
            }
        }
    }

  private:
    static constexpr std::uint16_t raw = 0xffff;
    Bytes coded_;
    std::vector<std::uint16_t> lengths_;
};

// zstd -1 of the epoch as it is, of its XOR with the old pages, or with the old pages as prefix.
class Zstd : public Coder {
  public:
    enum class Use { plain, exclusive_or, prefix };
    Zstd(std::string name, Use use)
        : Coder(std::move(name)),
          use_(use),
          compressor_(ZSTD_createCCtx()),
          decompressor_(ZSTD_createDCtx()) {
        if (!compressor_ || !decompressor_) throw std::bad_alloc();
    }
    Keeps keeps() const override { return use_ == Use::plain ? Keeps::nothing : Keeps::shared; }

    void prepare(const EpochPages& epoch, const ReferenceImage& reference) override {
        coded_.resize(ZSTD_compressBound(epoch.data.size()));
        if (use_ == Use::exclusive_or) exclusive_.resize(epoch.data.size());
        if (use_ != Use::prefix) return;
        old_.resize(epoch.data.size());
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            std::memcpy(old_.data() + i * page_size, reference.page(epoch.pfns[i]), page_size);
    }

    std::size_t encode(const EpochPages& epoch, const ReferenceImage& reference) override {
        ZSTD_CCtx* context = compressor_.get();
        checked(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters));
        checked(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1));
        ByteView input = epoch.data;
        if (use_ == Use::exclusive_or) {
            exclusive_or(epoch, reference, epoch.data.data(), exclusive_.data());
            input = exclusive_;
        } else if (use_ == Use::prefix) {
            // Both versions in the window, or the far pages could not be referred to; as zstd
            // --patch-from does.
            const int window = std::max(10, static_cast<int>(std::bit_width(2 * old_.size())));
            checked(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window));
            checked(ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1));
            checked(ZSTD_CCtx_refPrefix(context, old_.data(), old_.size()));
        }
        coded_size_ = checked(
            ZSTD_compress2(context, coded_.data(), coded_.size(), input.data(), input.size()));
        return coded_size_;
    }

    void decode(const EpochPages& epoch, const ReferenceImage& reference, std::byte* out) override {
        if (use_ == Use::prefix)
            checked(ZSTD_DCtx_refPrefix(decompressor_.get(), old_.data(), old_.size()));
        std::byte* to = use_ == Use::exclusive_or ? exclusive_.data() : out;
        checked(ZSTD_decompressDCtx(decompressor_.get(), to, epoch.data.size(), coded_.data(),
                                    coded_size_));
        if (use_ == Use::exclusive_or) exclusive_or(epoch, reference, to, out);
    }

  private:
    static void exclusive_or(const EpochPages& epoch, const ReferenceImage& reference,
                             const std::byte* in, std::byte* out) {
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i) {
            const std::byte* old = reference.page(epoch.pfns[i]);
            for (std::size_t k = i * page_size; k < (i + 1) * page_size; ++k, ++old)
                out[k] = in[k] ^ *old;
        }
    }

    Use use_;
    std::unique_ptr<ZSTD_CCtx, FreeCCtx> compressor_;
    std::unique_ptr<ZSTD_DCtx, FreeDCtx> decompressor_;
    Bytes old_;
    Bytes exclusive_;
    Bytes coded_;
    std::size_t coded_size_ = 0;
};

}  // namespace

Coders make_peers() {
    Coders coders;
    coders.push_back(std::make_unique<Memcpy>());
    coders.push_back(std::make_unique<Lz4>());
    coders.push_back(std::make_unique<Zstd>("zstd-1", Zstd::Use::plain));
    coders.push_back(std::make_unique<Xbzrle>());
    coders.push_back(std::make_unique<Zstd>("xor+zstd-1", Zstd::Use::exclusive_or));
    coders.push_back(std::make_unique<Zstd>("patch-from", Zstd::Use::prefix));
    if (auto xdelta3 = make_xdelta3()) coders.push_back(std::move(xdelta3));
    return coders;
}

}  // namespace replication::bench
