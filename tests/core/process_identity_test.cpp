#include "xlrm/core/process_identity.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace xlrm {
namespace {

TEST(ProcessIdentity, OfThisProcessIsComplete) {
    const ProcessIdentity self = this_process();
    EXPECT_FALSE(self.host.empty());
    EXPECT_EQ(self.boot.size(), 36U);
    EXPECT_EQ(self.pid, ::getpid());
    EXPECT_GT(self.start, 0);
    EXPECT_TRUE(process_lives(self.pid, self.start));
    EXPECT_TRUE(self.on_machine_of(this_process()));
    EXPECT_EQ(self.tag(), this_process().tag());
}

TEST(ProcessIdentity, OfAChildIsItsOwn) {
    const std::string parent = this_process().tag();
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(this_process().tag() != parent && this_process().pid == ::getpid() ? 0 : 1);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(ProcessIdentity, AnotherStartIsAnotherProcess) {
    const ProcessIdentity self = this_process();
    EXPECT_FALSE(process_lives(self.pid, self.start + 1));
    EXPECT_FALSE(process_lives(0, 0));
    EXPECT_FALSE(process_lives(-1, 0));
    EXPECT_FALSE(process_lives(999999999, 0));
}

TEST(ProcessIdentity, OneThatEndedDoesNotLiveThoughNobodyAsked) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    for (int i = 0; i < 5000 && process_lives(pid, 0); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_FALSE(process_lives(pid, 0));
    EXPECT_EQ(::kill(pid, 0), 0) << "its entry should still be there, or the test says nothing";
    ::waitpid(pid, nullptr, 0);
}

TEST(ProcessIdentity, MachinesAreToldApart) {
    ProcessIdentity one = this_process();
    ProcessIdentity other = one;
    for (std::string ProcessIdentity::*part :
         {&ProcessIdentity::host, &ProcessIdentity::boot, &ProcessIdentity::namespace_of_ids}) {
        other = one;
        other.*part += "x";
        EXPECT_FALSE(one.on_machine_of(other));
        EXPECT_NE(one.machine(), other.machine());
    }
}

}  // namespace
}  // namespace xlrm
