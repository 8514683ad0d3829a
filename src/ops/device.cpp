#include "xlrm/ops/device.hpp"

#include <algorithm>
#include <memory>

#include "ops/cpu/isa.hpp"
#include "ops/device_ops.hpp"
#include "xlrm/core/error.hpp"

namespace xlrm {
namespace {

bool is_number(const std::string& text) {
    return !text.empty() && text.size() <= 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

at::Device parse_device(const std::string& text) {
    if (text == "auto" || text == "cpu") return at::kCPU;
    if (text == "cuda" || (text.starts_with("cuda:") && is_number(text.substr(5)))) {
        fail("this build of xlrm computes on the CPU alone (it has no CUDA kernels, so \"" + text +
                 "\" would do nothing faster); leave the option out, or give cpu",
             ExitCode::usage);
    }
    const std::string near = nearest_name(text.substr(0, text.find(':')), {"auto", "cpu", "cuda"});
    fail("\"" + text + "\" is not one of auto, cpu, cuda, cuda:N" + (near.empty() ? "" : "; did you mean " + near + "?"),
         ExitCode::usage);
}

void describe_device(Options& options, at::Device* device) {
    const auto given = std::make_shared<std::string>("auto");
    options.add(
        "device",
        [=](const std::string& text) {
            *device = parse_device(text);
            *given = text;
        },
        [=] { return *given; }, "auto|cpu|cuda[:N]",
        "where it is computed; auto: the best that there is, which in this build is the CPU. Name it where a run must not go "
        "elsewhere");
    options.check(require_known_environment);
}

void require_known_environment() {
    wants_reference();
    cpu::highest_isa();
}

Json device_facts(at::Device device) {
    Json facts = {{"device", device.str()}};
    if (wants_reference()) facts["ops"] = "reference";
    return facts;
}

}  // namespace xlrm
