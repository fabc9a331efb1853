// SPDX-License-Identifier: GPL-2.0-only
#include "codec/workers.hpp"

#include <stdexcept>
#include <system_error>

namespace replication::codec {

Workers::Workers(unsigned threads) {
    if (threads == 0) throw std::invalid_argument("at least one thread is needed");
    others_.reserve(threads - 1);
    try {
        for (unsigned worker = 1; worker < threads; ++worker)
            others_.emplace_back([this, worker] { serve(worker); });
    } catch (const std::system_error&) {
        // This thread was one too many. Those that have started must be joined, or the destructor
        // of std::thread ends the program.
        end();
        throw;
    }
}

Workers::~Workers() {
    end();
}

void Workers::end() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    work_.notify_all();
    for (std::thread& other : others_) other.join();
}

// One lock for each index: an index is a chunk of hundreds of pages, beside which the lock is
// nothing.
void Workers::take_part(unsigned worker, std::unique_lock<std::mutex>& lock) {
    while (next_ < count_) {
        const std::size_t index = next_++;
        const Body& body = *body_;
        ++running_;
        lock.unlock();
        body(worker, index);
        lock.lock();
        --running_;
    }
}

void Workers::serve(unsigned worker) {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stop_ || next_ < count_; });
        if (stop_) return;
        take_part(worker, lock);
        if (running_ == 0) done_.notify_one();
    }
}

void Workers::each(std::size_t count, const Body& body) noexcept {
    if (others_.empty() || count < 2) {
        for (std::size_t index = 0; index < count; ++index) body(0, index);
        return;
    }
    std::unique_lock lock(mutex_);
    body_ = &body;
    next_ = 0;
    count_ = count;
    work_.notify_all();
    take_part(0, lock);
    done_.wait(lock, [this] { return running_ == 0; });
}

}  // namespace replication::codec
