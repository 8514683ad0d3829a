// The xlrm side of scripts/language_errors.py. Reads texts, one JSON string a line, from standard input; writes a line [code of
// the language, characters] for each, and last the microseconds a text.
#include <chrono>
#include <iostream>

#include <nlohmann/json.hpp>

#include "xlrm/core/utf8.hpp"
#include "xlrm/text/language_detect.hpp"

int main() {
    std::int64_t texts = 0;
    std::chrono::duration<double, std::micro> time{0};
    for (std::string line; std::getline(std::cin, line); ++texts) {
        const auto text = nlohmann::json::parse(line).get<std::string>();
        const auto start = std::chrono::steady_clock::now();
        const std::string code = xlrm::detect_language(text);
        time += std::chrono::steady_clock::now() - start;
        std::cout << nlohmann::json{code, xlrm::count_code_points(text)}.dump() << '\n';
    }
    std::cout << time.count() / static_cast<double>(std::max<std::int64_t>(texts, 1)) << '\n';
}
