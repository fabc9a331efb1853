// SPDX-License-Identifier: GPL-2.0-only
#include "closed.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/file.hpp"
#include "temporary_folder.hpp"

namespace warmvm {
namespace {

class Closed : public ::testing::Test {
  protected:
    std::string why(int error, const char* call = "xc_interface_open") {
        errno = error;
        const auto closed_with = closed(call, root_.path());
        EXPECT_EQ(closed_with.code().value(), error);
        return closed_with.what();
    }
    void write(const std::string& name, std::string_view text) {
        const auto path = root_.path() / name;
        std::filesystem::create_directories(path.parent_path());
        replace_file(path, as_byte_view(text));
    }

  private:
    TemporaryFolder root_;
};

bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

TEST_F(Closed, SaysWhatItMeansAndTheWayOut) {
    EXPECT_TRUE(says(why(ENOENT), "Xen does not seem to run here"));
    EXPECT_TRUE(says(why(EACCES), "run this as root"));
    write("sys/hypervisor/type", "kvm\n");
    EXPECT_TRUE(says(why(ENOENT), "Xen does not seem to run here"));
    write("sys/hypervisor/type", "xen\n");
    EXPECT_TRUE(says(why(ENOENT), "modprobe xen-privcmd"));
    write("dev/xen/privcmd", "");
    write("proc/xen/capabilities", "\n");
    EXPECT_TRUE(says(why(EPERM), "run this as root"));
    EXPECT_TRUE(says(why(ENODEV), "this is a guest"));
    write("proc/xen/capabilities", "control_d\n");
    EXPECT_TRUE(says(why(ENOENT, "xs_open"), "xenstored"));
    const auto text = why(ENODEV);
    EXPECT_TRUE(says(text, "xc_interface_open") && says(text, "No such device")) << text;
}

}  // namespace
}  // namespace warmvm
