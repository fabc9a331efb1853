// SPDX-License-Identifier: GPL-2.0-only
// Port: xenstore.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "xen/types.hpp"

namespace warmvm {

class Store {
  public:
    virtual ~Store() = default;
    // nullopt: no such node.
    virtual std::optional<std::string> read(const std::string& path) = 0;
    virtual void write(const std::string& path, const std::string& value) = 0;
    // Names of the children; empty if there is no such node.
    virtual std::vector<std::string> list(const std::string& path) = 0;
    // In one transaction: if the node holds expected, write replacement and return true.
    virtual bool replace(const std::string& path, const std::string& expected,
                         const std::string& replacement) = 0;
    // Tell xenstored that a suspended domain goes on (xs_resume_domain).
    virtual void resume_domain(DomId domain) = 0;
};

std::unique_ptr<Store> open_store();

std::string domain_path(DomId domain, std::string_view node);

}  // namespace warmvm
