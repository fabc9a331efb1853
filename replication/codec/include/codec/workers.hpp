// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace replication::codec {

// A fixed set of threads that share out the iterations of a loop; the caller is one of them.
class Workers {
  public:
    // Throws std::system_error when a thread cannot be started, std::invalid_argument for none.
    explicit Workers(unsigned threads);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    unsigned threads() const { return static_cast<unsigned>(others_.size()) + 1; }

    // Calls body(worker, index) once for each index below `count`, worker < threads(), in no
    // order, and returns when all have returned. `body` must not throw. Not reentrant.
    using Body = std::function<void(unsigned worker, std::size_t index)>;
    void each(std::size_t count, const Body& body) noexcept;

    // Calls body(index) for each index below `count`, `grain` of them in a row by one worker.
    template <typename OfIndex>
    void each_range(std::size_t count, std::size_t grain, OfIndex body) noexcept {
        each((count + grain - 1) / grain, [&](unsigned, std::size_t range) {
            const std::size_t last = std::min(count, (range + 1) * grain);
            for (std::size_t index = range * grain; index < last; ++index) body(index);
        });
    }

  private:
    void serve(unsigned worker);
    void end();
    void take_part(unsigned worker, std::unique_lock<std::mutex>& lock);

    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    const Body* body_ = nullptr;
    std::size_t next_ = 0;
    std::size_t count_ = 0;
    std::size_t running_ = 0;
    bool stop_ = false;
    std::vector<std::thread> others_;
};

}  // namespace replication::codec
