#include "xlrm/core/problem.hpp"

#include <filesystem>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace xlrm {

namespace {

//! The innermost activity that an exception of this thread ended; null where none did since the last activity began.
thread_local const char* ended_activity = nullptr;

std::string during(const char* activity) { return activity == nullptr ? "" : std::string(" while ") + activity; }

std::string first_line(std::string_view text) {
    const std::string line(text.substr(0, text.find('\n')));
    return line.empty() ? "no reason given" : line;
}

Problem no_memory(const char* activity) {
    return {"out of memory" + during(activity) + " (use a smaller --token-budget, --dtype bf16, or more ranks)",
            ExitCode::failure};
}

Problem internal(const char* activity, std::string_view reason) {
    return {"internal error" + during(activity) + ": " + first_line(reason) +
                " (this is a fault of xlrm); please report it with the command and its input",
            ExitCode::failure};
}

Problem refused_by_file_system(const char* activity, const std::filesystem::filesystem_error& error) {
    if (error.path1().empty()) return internal(activity, error.what());
    std::string_view reason = error.what();
    constexpr std::string_view kPrefix = "filesystem error: ";
    if (reason.starts_with(kPrefix)) reason.remove_prefix(kPrefix.size());
    return {first_line(reason) + during(activity), ExitCode::io};
}

bool tells_of_memory(std::string_view reason) {  // libtorch's allocator has no exception type of its own
    return reason.find("can't allocate memory") != std::string_view::npos ||
           reason.find("not enough memory") != std::string_view::npos || reason.find("out of memory") != std::string_view::npos;
}

}  // namespace

Problem describe_problem(const std::exception_ptr& exception) {
    const char* const activity = std::exchange(ended_activity, nullptr);
    try {
        std::rethrow_exception(exception);
    } catch (const Error& error) {
        return {*error.what() == '\0' ? "an error without a message at " + error.where() : error.what(), error.code(),
                error.agreed()};
    } catch (const std::bad_alloc&) {
        return no_memory(activity);
    } catch (const std::length_error& error) {
        return {"a buffer is asked for that no memory can hold" + during(activity) + " (" + first_line(error.what()) +
                    "); an option or a file gives too large a number",
                ExitCode::failure};
    } catch (const std::filesystem::filesystem_error& error) {
        return refused_by_file_system(activity, error);
    } catch (const std::exception& error) {
        return tells_of_memory(error.what()) ? no_memory(activity) : internal(activity, error.what());
    } catch (...) {
        return internal(activity, "an exception of unknown type");
    }
}

Activity::Activity(const char* what) noexcept : what_(what), exceptions_(std::uncaught_exceptions()) { ended_activity = nullptr; }

Activity::~Activity() {
    if (std::uncaught_exceptions() > exceptions_ && ended_activity == nullptr) ended_activity = what_;
}

}  // namespace xlrm
