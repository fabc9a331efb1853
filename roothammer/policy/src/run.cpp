// SPDX-License-Identifier: GPL-2.0-only
#include "policy/run.hpp"

#include <algorithm>
#include <system_error>

#include "base/error.hpp"
#include "base/lock.hpp"
#include "policy/gates.hpp"

namespace roothammer::policy {
namespace {

class Run {
  public:
    Run(const Ports& ports, const Config& config, const RunOptions& options)
        : ports_(ports), config_(config), options_(options) {}

    Outcome go() {
        const auto lock = warmvm::Lock::try_take(ports_.lock);
        if (!lock) {
            end(Decision::host_refused, "another run is at work (" + ports_.lock.string() + ")");
            return std::move(outcome_);
        }
        try {
            follow();
        } catch (const std::system_error& error) {
            end(Decision::failed, error.what());
        }
        return std::move(outcome_);
    }

  private:
    void end(Decision decision, std::string line) {
        outcome_.decision = decision;
        outcome_.line = std::move(line);
    }
    void note(std::string text) { outcome_.notes.push_back(std::move(text)); }
    void write(const char* file, const std::string& text) {
        if (!options_.dry_run) ports_.storage.replace(file, text);
    }

    void follow() {
        now_ = ports_.clock.now();
        load_history();
        if (!sample()) return;
        load_tries();
        store_history();
        judge();
        if (!outcome_.assessment.is_due) return end(Decision::not_due, "no reboot is due");
        if (const auto gate = find_gate(gate_input(), config_)) return close(*gate);
        if (!check()) return;
        act();
    }

    void load_history() {
        const auto text = ports_.storage.read(history_file);
        if (!text) return;
        history_ = parse_history(*text, now_);
        if (history_.rejected.empty()) return;
        note(std::to_string(history_.rejected.size()) + " of the history's lines set aside (" +
             history_.rejected.front().reason + "), " + std::to_string(history_.samples.size()) +
             " used");
        write(history_rejected_file, to_text(history_.rejected));
    }

    // Whether there is anything to judge.
    bool sample() {
        Sample sample;
        sample.moment = now_;
        // The last sample of this boot, and the last that knows how far the log was read.
        const Sample* last = nullptr;
        const Sample* logged = nullptr;
        for (const auto& earlier : history_.samples) {
            if (earlier.moment.boot != now_.boot) continue;
            last = &earlier;
            if (earlier.values[Value::log_next]) logged = &earlier;
        }
        sample.clock_stepped = last ? has_stepped(last->moment, now_) : history_.from_the_future;
        auto reading = ports_.source.read(logged ? logged->values[Value::log_next].value_or(0) : 0);
        sample.values = reading.values;
        for (const auto value : {Value::log_errors, Value::out_of_memory}) {
            auto& count = sample.values[value];
            if (!count || !logged) continue;
            count = std::min(*count + logged->values[value].value_or(0), max_value);
        }
        outcome_.last_reboot = reading.last_reboot;
        for (auto& missing : reading.missing) note(std::move(missing));
        if (reading.no_xen) {
            end(Decision::failed, *reading.no_xen);
            return false;
        }
        if (std::ranges::none_of(sample.values.all, &std::optional<std::uint64_t>::has_value)) {
            end(Decision::failed, "nothing could be read of this host");
            return false;
        }
        history_.samples.push_back(std::move(sample));
        const auto surplus =
            history_.samples.size() -
            std::min<std::size_t>(history_.samples.size(), config_.history_samples);
        history_.samples.erase(history_.samples.begin(),
                               history_.samples.begin() + static_cast<std::ptrdiff_t>(surplus));
        return true;
    }

    void store_history() { write(history_file, to_text(history_.samples)); }

    void load_tries() {
        const auto text = ports_.storage.read(tries_file);
        if (!text) return;
        Tries read;
        try {
            read = parse_tries(*text);
            tries_ = settle(read, now_, history_.samples.back().values[Value::generation]);
            if (tries_ == read) return;
        } catch (const warmvm::Error& error) {
            // For all that is known, a try failed just now.
            note(std::string("the record of earlier tries was set aside: ") + error.what());
            write(tries_rejected_file, *text);
            tries_ = {Tries::Stage::failed, 1, now_, "the record of earlier tries was damaged"};
        }
        write(tries_file, to_text(tries_));
    }

    void judge() {
        outcome_.assessment = assess(history_.samples, config_);
        const auto guests = history_.samples.back().values[Value::guests].value_or(0);
        outcome_.cost = cost_of(config_.model, guests);
        outcome_.now = history_.samples.back();
    }

    void close(const Gate& gate) { end(gate.decision, outcome_.assessment.why + "; " + gate.line); }

    GateInput gate_input() {
        return {history_.samples, tries_, expected_downtime(outcome_.cost, outcome_.last_reboot),
                [this](std::int64_t wall) { return ports_.clock.local(wall); },
                [this](std::int64_t wall) { return ports_.clock.local_text(wall); }};
    }

    // The existing preflight, and whether the clocks have stayed what they were meanwhile.
    bool check() {
        const auto result = ports_.rebooter.preflight();
        if (result.kind != CommandResult::Kind::ok) {
            end(decision_of(result.kind), outcome_.assessment.why + "; refused: " + result.why);
            return false;
        }
        const auto later = ports_.clock.now();
        if (later.boot != now_.boot || has_stepped(now_, later)) {
            end(Decision::doubt,
                outcome_.assessment.why + "; the clock was set during the preflight");
            return false;
        }
        if (const auto gate = find_window_gate(gate_input(), config_, later.wall)) {
            close(*gate);
            return false;
        }
        now_ = later;
        return true;
    }

    void act() {
        if (options_.dry_run) {
            return end(Decision::would_reboot, outcome_.assessment.why + "; would reboot now");
        }
        // The try is on disk before anything happens: whatever becomes of it, it counts.
        const Tries before = tries_;
        tries_ = {Tries::Stage::acting, tries_.failures + 1, now_, ""};
        write(tries_file, to_text(tries_));
        const auto result = ports_.rebooter.reboot();
        const bool refused = result.kind == CommandResult::Kind::guest_refused ||
                             result.kind == CommandResult::Kind::host_refused;
        if (refused) {
            // Something has come up since the preflight. Nothing was changed: it was no try.
            write(tries_file, to_text(before));
            return end(decision_of(result.kind),
                       outcome_.assessment.why + "; refused: " + result.why);
        }
        tries_.stage = Tries::Stage::failed;
        tries_.why = result.why;
        tries_.at = ports_.clock.now();
        end(Decision::failed, outcome_.assessment.why + "; the warm reboot failed: " + result.why);
        write(tries_file, to_text(tries_));
    }

    static Decision decision_of(CommandResult::Kind kind) {
        switch (kind) {
            case CommandResult::Kind::guest_refused:
                return Decision::guest_refused;
            case CommandResult::Kind::host_refused:
                return Decision::host_refused;
            case CommandResult::Kind::ok:
            case CommandResult::Kind::failed:
                break;
        }
        return Decision::failed;
    }

    const Ports& ports_;
    const Config& config_;
    RunOptions options_;
    Moment now_;
    History history_;
    Tries tries_;
    Outcome outcome_;
};

}  // namespace

std::string_view name(Decision decision) {
    switch (decision) {
        case Decision::not_due:
            return "not-due";
        case Decision::failed:
            return "failed";
        case Decision::guest_refused:
            return "guest-refused";
        case Decision::host_refused:
            return "host-refused";
        case Decision::waiting:
            return "waiting";
        case Decision::doubt:
            return "doubt";
        case Decision::would_reboot:
            return "would-reboot";
    }
    return "";
}

Outcome run(const Ports& ports, const Config& config, const RunOptions& options) {
    return Run(ports, config, options).go();
}

void reset(const Ports& ports) {
    const auto lock = warmvm::Lock::take(ports.lock, "another run of the policy");
    ports.storage.replace(tries_file, to_text(Tries{}));
}

}  // namespace roothammer::policy
