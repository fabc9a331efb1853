// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <boost/program_options.hpp>

#include "command.hpp"

namespace replication::trace {

// Parses a command's arguments; `positional` names the option that takes what stands alone. Throws
// as Boost does, UsageError with the description for --help.
inline boost::program_options::variables_map parse(
    const Arguments& arguments, boost::program_options::options_description description,
    const char* positional) {
    namespace po = boost::program_options;
    description.add_options()("help", "this text");
    po::positional_options_description places;
    places.add(positional, -1);
    po::variables_map values;
    po::store(po::command_line_parser(arguments).options(description).positional(places).run(),
              values);
    if (values.contains("help")) {
        std::ostringstream text;
        text << description;
        throw UsageError{text.str()};
    }
    po::notify(values);
    return values;
}

}  // namespace replication::trace
