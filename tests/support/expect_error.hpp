#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "xlrm/core/error.hpp"

namespace xlrm {

//! Expects `action` to throw Error whose message holds every one of `parts`. Returns the message.
template <class Action>
std::string expect_error(Action&& action, const std::vector<std::string>& parts) {
    try {
        std::forward<Action>(action)();
    } catch (const Error& error) {
        const std::string message = error.what();
        for (const std::string& part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
        return message;
    }
    ADD_FAILURE() << "nothing was thrown; expected a message with '" << (parts.empty() ? "" : parts.front()) << "'";
    return "";
}

}  // namespace xlrm
