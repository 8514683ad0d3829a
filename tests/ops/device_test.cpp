#include "xlrm/ops/device.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "ops/environment.hpp"
#include "support/expect_error.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

std::string refused(const std::string& device) {
    try {
        parse_device(device);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        return error.what();
    }
    ADD_FAILURE() << device << " was accepted";
    return "";
}

TEST(Device, AutoAndCpuAreTheCpu) {
    EXPECT_EQ(parse_device("auto"), at::Device(at::kCPU));
    EXPECT_EQ(parse_device("cpu"), at::Device(at::kCPU));
    EXPECT_EQ(device_facts(at::kCPU).at("device"), "cpu");
}

TEST(Device, CudaIsRefusedInPlainWords) {
    for (const char* name : {"cuda", "cuda:0", "cuda:12"}) EXPECT_NE(refused(name).find("on the CPU alone"), std::string::npos);
}

TEST(Device, AnotherWordIsRefusedWithTheNearestName) {
    EXPECT_NE(refused("cuba").find("did you mean cuda?"), std::string::npos);
    EXPECT_NE(refused("cpus").find("did you mean cpu?"), std::string::npos);
    for (const char* name : {"", "cuda:", "cuda:-1", "cuda:x", "cuda:1234", "cpu:0", "CPU", "tpu"})
        EXPECT_NE(refused(name).find("is not one of auto, cpu, cuda, cuda:N"), std::string::npos) << name;
}

TEST(Device, TheOptionGivesTheDeviceAndShowsWhatWasAskedFor) {
    at::Device device = at::kCUDA;
    Options options("xlrm_try", "Tries.");
    options.section("try");
    describe_device(options, &device);
    EXPECT_EQ(options.effective(), (Json{{"try.device", "auto"}}));
    const char* const cpu[] = {"xlrm_try", "--device", "cpu"};
    options.parse(3, cpu);
    EXPECT_EQ(device, at::Device(at::kCPU));
    EXPECT_EQ(options.effective(), (Json{{"try.device", "cpu"}}));
    const char* const cuda[] = {"xlrm_try", "--device", "cuda:1"};
    expect_error([&] { options.parse(3, cuda); }, {"--device: ", "cuda:1", "CPU alone"});
}

TEST(Device, AVariableOfTheEnvironmentIsOneOfItsChoices) {
    const auto choice = [] { return environment_choice("XLRM_OF_A_TEST", {"own", "reference"}, "it says what"); };
    unsetenv("XLRM_OF_A_TEST");
    EXPECT_EQ(choice(), "");
    setenv("XLRM_OF_A_TEST", "", 1);
    EXPECT_EQ(choice(), "");
    setenv("XLRM_OF_A_TEST", "reference", 1);
    EXPECT_EQ(choice(), "reference");
    setenv("XLRM_OF_A_TEST", "refrence", 1);
    expect_error(choice, {"XLRM_OF_A_TEST is 'refrence'", "it says what: own, reference", "did you mean reference?"});
    unsetenv("XLRM_OF_A_TEST");
}

}  // namespace
}  // namespace xlrm
