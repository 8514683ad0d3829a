#include "xlrm/comm/together.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "xlrm/comm/run_job.hpp"

namespace xlrm {

namespace {

//! "75 message"; "" without a problem.
std::string encode(const Problem& problem) {
    return problem ? std::to_string(static_cast<int>(problem.code)) + " " + problem.message : "";
}

Problem decode(const std::string& text) {
    const std::size_t space = text.find(' ');
    return {text.substr(space + 1), static_cast<ExitCode>(std::stoi(text.substr(0, space))), true};
}

}  // namespace

void agree_or_throw(const Communicator& group, const Problem& mine, Wait wait) {
    const bool any = wait == Wait::sleeping ? group.any_after_wait(static_cast<bool>(mine)) : group.any(static_cast<bool>(mine));
    if (!any) return;
    const std::vector<std::string> all = group.gather_text(encode(mine));
    const std::string stop = std::to_string(static_cast<int>(ExitCode::stopped)) + " ";
    const auto failed = [&](const std::string& text) { return !text.empty() && !text.starts_with(stop); };
    auto first = std::ranges::find_if(all, failed);
    if (first == all.end()) first = std::ranges::find_if(all, [](const std::string& text) { return !text.empty(); });
    const Problem problem = decode(*first);
    const bool common = std::ranges::all_of(all, [&](const std::string& text) { return text == *first; });
    const std::string who = common || wait == Wait::sleeping ? "" : "rank " + std::to_string(first - all.begin()) + ": ";
    throw Error(who + problem.message, problem.code).mark_agreed();
}

Problem settle_in_group(const Communicator& group, Problem mine) {
    if (mine && !mine.agreed && group.size() > 1) end_job(mine);
    return mine;
}

}  // namespace xlrm
