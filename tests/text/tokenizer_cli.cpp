// The xlrm side of tokenizer_fuzz.py. Reads texts, one JSON string a line, from standard input.
//     tokenizer_cli ids TOKENIZER           of each text a line [ids with special tokens, text of the ids]
//     tokenizer_cli folders                 of each line [folder, texts] a line {texts: [[ids, ids with special tokens]], bos,
//     eos, size} or
//                                           {error}; {bare}, if the exception is not the program's own
//     tokenizer_cli time TOKENIZER ROUNDS   seconds of the fastest round over all texts, and the number of ids
// TOKENIZER is a tokenizer.json or a model folder.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include <nlohmann/json.hpp>

#include "xlrm/core/error.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace {

std::vector<std::string> read_texts() {
    std::vector<std::string> texts;
    for (std::string line; std::getline(std::cin, line);) texts.push_back(nlohmann::json::parse(line).get<std::string>());
    return texts;
}

void print_ids(const xlrm::Tokenizer& tokenizer) {
    for (const std::string& text : read_texts()) {
        const auto ids = tokenizer.encode(text, true);
        std::cout << nlohmann::json{ids, tokenizer.decode(ids)}.dump() << '\n';
    }
}

nlohmann::json about_folder(const nlohmann::json& line) {
    try {
        const auto tokenizer = xlrm::load_tokenizer(line.at(0).get<std::string>());
        nlohmann::json rows = nlohmann::json::array();
        for (const auto& text : line.at(1)) {
            const auto words = text.get<std::string>();
            rows.push_back({tokenizer->encode(words, false), tokenizer->encode(words, true)});
        }
        const auto id = [](const std::optional<std::int32_t>& value) {
            return value ? nlohmann::json(*value) : nlohmann::json();
        };
        return {{"texts", rows}, {"bos", id(tokenizer->bos)}, {"eos", id(tokenizer->eos)}, {"size", tokenizer->vocab_size()}};
    } catch (const xlrm::Error& error) {
        return {{"error", error.what()}};
    } catch (const std::exception& error) {
        return {{"bare", error.what()}};
    }
}

void print_folders() {
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << about_folder(nlohmann::json::parse(line)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                  << std::endl;
    }
}

void print_time(const xlrm::Tokenizer& tokenizer, int rounds) {
    const auto texts = read_texts();
    double best = 1e9;
    std::size_t count = 0;
    for (int round = 0; round < rounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        count = 0;
        for (const std::string& text : texts) count += tokenizer.encode(text, false).size();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::printf("%.6f %zu\n", best, count);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string mode = argc > 1 ? argv[1] : "";
        if (mode == "folders") return print_folders(), 0;
        xlrm::require((mode == "ids" && argc > 2) || (mode == "time" && argc > 3),
                      "ids or time, a tokenizer and for time the rounds are expected");
        const std::filesystem::path path = argv[2];
        const auto tokenizer = std::filesystem::is_directory(path) ? xlrm::load_tokenizer(path) : xlrm::load_bpe(path);
        if (mode == "ids")
            print_ids(*tokenizer);
        else
            print_time(*tokenizer, std::stoi(argv[3]));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
