#include "xlrm/align/scored_samples.hpp"

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::vector<ScoredPrompt> read(const std::vector<std::string>& texts, const std::vector<std::string>& names) {
    TemporaryFolder work;
    std::vector<fs::path> files;
    for (const std::string& text : texts) {
        files.push_back(work / ("f" + std::to_string(files.size()) + ".jsonl"));
        write_file_atomic(files.back(), text);
    }
    return read_scored_samples(files, names);
}

std::string sample(const std::string& id, int index, const std::string& more) {
    return R"({"id": ")" + id + R"(", "occurrence": 0, "lang": "ko", "sample": )" + std::to_string(index) + ", " + more + "}\n";
}

TEST(ScoredSamples, AreFoundUnderScoresThenAsFieldsThenAsLengths) {
    const auto prompts =
        read({sample("b", 1, R"("text": "안녕", "tokens": [5, 6, 7], "logprob": -2.5, "scores": {"rm": 0.5, "logprob": 9})") +
              sample("b", 0, R"("text": "a b", "tokens": [5], "logprob": -1, "scores": {"rm": 1})") +
              sample("a", 0, R"("text": "", "tokens": [], "logprob": 0, "rm": -3)")},
             {"rm", "logprob", "tokens", "characters"});
    ASSERT_EQ(prompts.size(), 2U);
    EXPECT_EQ(prompts[0].key, (PromptKey{"a", "ko", 0}));
    EXPECT_EQ(prompts[0].scores, (std::vector<std::vector<double>>{{-3}, {0}, {0}, {0}}));
    EXPECT_EQ(prompts[1].samples, (std::vector<std::int32_t>{0, 1}));
    EXPECT_EQ(prompts[1].scores, (std::vector<std::vector<double>>{{1, 0.5}, {-1, 9}, {1, 3}, {3, 2}}));
}

TEST(ScoredSamples, FilesOfTheSameSamplesAreJoined) {
    const auto prompts =
        read({sample("a", 0, R"("text": "x", "scores": {"rm": 1})") + sample("a", 1, R"("text": "y", "scores": {"rm": 2})"),
              sample("a", 1, R"("text": "y", "scores": {"gold": 4, "rm": 2})") + sample("a", 0, R"("scores": {"gold": 3})")},
             {"rm", "gold"});
    ASSERT_EQ(prompts.size(), 1U);
    EXPECT_EQ(prompts[0].scores, (std::vector<std::vector<double>>{{1, 2}, {3, 4}}));
}

TEST(ScoredSamples, APromptMayHoldTheListOfItsCompletions) {
    const std::string line = R"({"id": "p", "lang": "en", "prompt": "q", "completions": ["a", "bcd"], "preference": [1.5, 2]})";
    const auto prompts = read({line + "\n" + line + "\n"}, {"characters", "preference"});
    ASSERT_EQ(prompts.size(), 2U);  // the same id twice: two prompts
    EXPECT_EQ(prompts[1].key.occurrence, 1);
    EXPECT_EQ(prompts[0].samples, (std::vector<std::int32_t>{0, 1}));
    EXPECT_EQ(prompts[0].scores, (std::vector<std::vector<double>>{{1, 3}, {1.5, 2}}));
}

TEST(ScoredSamples, WhatDoesNotFitIsNamed) {
    const std::string first = sample("a", 0, R"("text": "x", "scores": {"rm": 1})");
    const auto fails = [](const std::vector<std::string>& texts, const std::vector<std::string>& names,
                          const std::vector<std::string>& parts) { expect_error([&] { read(texts, names); }, parts); };
    fails({""}, {"rm"}, {"no samples"});
    fails({"[1]\n"}, {"rm"}, {"f0.jsonl:1", "object"});
    fails({R"({"id": 3, "lang": "ko", "sample": 0})"}, {"rm"}, {"f0.jsonl:1", "'id'"});
    fails({R"({"id": "a", "sample": 0})"}, {"rm"}, {"f0.jsonl:1", "'lang'"});
    fails({R"({"id": "a", "lang": "ko", "text": "x"})"}, {"rm"}, {"'sample'", "'completions'"});
    fails({R"({"id": "a", "lang": "ko", "sample": -1})"}, {"rm"}, {"'sample'", "whole number"});
    fails({R"({"id": "a", "lang": "ko", "sample": 0, "scores": [1]})"}, {"rm"}, {"'scores'", "object"});
    fails({R"({"id": "a", "lang": "ko", "sample": 0, "scores": {"rm": null}})"}, {"rm"}, {"f0.jsonl:1", "'rm'", "number"});
    fails({R"({"id": "a", "lang": "ko", "completions": ["x", "y"], "rm": [1]})"}, {"rm"}, {"'rm'", "2 numbers"});
    fails({R"({"id": "a", "lang": "ko", "completions": ["x", 5], "rm": [1, 2]})"}, {"rm"}, {"sample 1", "no text"});
    fails({first + first}, {"rm"}, {"f0.jsonl:2", "sample 0 of prompt 'a' (ko)", "twice"});
    fails({first, sample("a", 0, R"("text": "other")")}, {"rm"}, {"f1.jsonl:1", "another text"});
    fails({first, sample("a", 0, R"("scores": {"rm": 2})")}, {"rm"}, {"f1.jsonl:1", "'rm'"});
    fails({first + sample("a", 1, R"("text": "y")") + sample("b", 0, R"("text": "z")")}, {"rm"},
          {"2 of 3 samples have no score 'rm'", "sample 1 of prompt 'a' (ko)"});
}

}  // namespace
}  // namespace xlrm
