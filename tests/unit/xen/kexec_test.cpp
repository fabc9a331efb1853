// SPDX-License-Identifier: GPL-2.0-only
// kexec-tools, played by a script.
#include "xen/kexec.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/file.hpp"
#include "temporary_folder.hpp"

namespace warmvm {
namespace {

class KexecTest : public ::testing::Test {
  protected:
    void load(const std::string& script) {
        constexpr mode_t executable = 0755;
        const auto program = folder_ / "kexec";
        const auto text = "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + (folder_ / "asked").string() +
                          "\n" + script + "\n";
        replace_file(program, as_byte_view(text), executable);
        open_kexec(program)->load({"/xen", "a=1 b", "/vmlinuz", "root=x ro", "/initrd"});
    }

    TemporaryFolder temporary_;
    const std::filesystem::path& folder_ = temporary_.path();
};

// Only an image of this type is known to stay off the guests' frames: the hypervisor refuses
// others while there is a set, and nothing here ever asks for one.
TEST_F(KexecTest, AsksForALiveUpdateImageAndNoOther) {
    load("");
    EXPECT_EQ(read_text_file(folder_ / "asked"),
              "--load-live-update\n--no-checks\n-t\nmultiboot2-x86\n/xen\n--command-line=a=1 b\n"
              "--module=/vmlinuz root=x ro\n--module=/initrd\n");
}

TEST_F(KexecTest, SaysWhatKexecToolsSaid) {
    try {
        load(
            "echo 'Could not load'; echo 'kexec_load failed: Device or resource busy' >&2; exit 1");
        ADD_FAILURE() << "was loaded";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("kexec_load failed: Device or resource busy"),
                  std::string::npos)
            << error.what();
    }
}

TEST_F(KexecTest, IsGivenWhatLetsItSeeXen) {
    constexpr mode_t executable = 0755;
    const auto program = folder_ / "kexec";
    const auto text = "#!/bin/sh\necho \"$LD_PRELOAD\" > " + (folder_ / "asked").string() + "\n";
    replace_file(program, as_byte_view(text), executable);
    const auto preload = folder_ / "preload.so";
    EXPECT_THROW(open_kexec(program, preload)->load({}), Error);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "asked"));
    // No shared object: the loader says so and goes on.
    replace_file(preload, as_byte_view("none"));
    open_kexec(program, preload)->load({});
    EXPECT_EQ(read_text_file(folder_ / "asked"), preload.string() + "\n");
}

TEST_F(KexecTest, AProgramThatIsNotThere) {
    EXPECT_THROW(open_kexec("/no/such/kexec")->load({}), Error);
}

}  // namespace
}  // namespace warmvm
