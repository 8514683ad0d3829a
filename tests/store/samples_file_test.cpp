#include "xlrm/store/samples_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "support/expect_error.hpp"
#include "support/temporary_folder.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/random.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::int32_t kSamples = 3;

std::vector<PromptKey> prompts() { return {{"x-1", "ko", 0}, {"x-1", "en", 0}, {"x-1", "en", 1}, {"a\"\n", "es", 0}}; }

Sample sample(std::size_t prompt, std::int32_t index) {
    Sample one;
    one.prompt_key = prompts()[prompt];
    one.prompt = prompt == 1 ? Json::array({Json{{"role", "user"}, {"content", "¿qué?"}}}) : Json("say 안녕");
    one.sample = index;
    one.seed = UINT64_MAX - 2;
    one.text = "text " + std::to_string(prompt) + "/" + std::to_string(index) + "\n\"𠀀\" \u2028";
    one.tokens = {1, 2, static_cast<std::int32_t>(prompt), index};
    one.logprob = -1.0 / 3.0 - static_cast<double>(prompt);
    one.finish_reason = index == 0 ? "stop" : "length";
    one.detected_lang = prompt == 0 ? "ko" : "unsure";
    return one;
}

std::vector<Sample> all_samples() {
    std::vector<Sample> all;
    for (std::size_t prompt = 0; prompt < prompts().size(); ++prompt)
        for (std::int32_t index = 0; index < kSamples; ++index) all.push_back(sample(prompt, index));
    return all;
}

std::string canonical_file() {
    std::string text;
    for (const Sample& one : all_samples()) text += sample_line(one) + "\n";
    return text;
}

SampleWriter writer(const fs::path& path, int process = 0) { return SampleWriter(path, "id-1", prompts(), kSamples, process); }

TEST(SamplesFile, ALineHoldsAllFieldsInOrder) {
    Sample one = sample(3, 1);
    one.more = Json{{"scores", {{"rm", 0.5}}}};
    EXPECT_TRUE(sample_line(one).starts_with(
        R"({"id":"a\"\n","occurrence":0,"lang":"es","prompt":"say 안녕","sample":1,"seed":18446744073709551613,"text":"text 3/1\n)"))
        << sample_line(one);
    EXPECT_TRUE(sample_line(one).ends_with(R"(,"finish_reason":"length","detected_lang":"unsure","scores":{"rm":0.5}})"))
        << sample_line(one);
    const Sample read = parse_sample(sample_line(one), "f:1");
    EXPECT_EQ(read.prompt_key, one.prompt_key);
    EXPECT_EQ(read.prompt, one.prompt);
    EXPECT_EQ(read.sample, 1);
    EXPECT_EQ(read.seed, one.seed);
    EXPECT_EQ(read.text, one.text);
    EXPECT_EQ(read.tokens, one.tokens);
    EXPECT_EQ(read.logprob, one.logprob);  // to the bit
    EXPECT_EQ(read.finish_reason, "length");
    EXPECT_EQ(read.detected_lang, "unsure");
    EXPECT_EQ(read.more, one.more);
    EXPECT_EQ(sample_line(read), sample_line(one));
    one.detected_lang.clear();
    EXPECT_EQ(sample_line(one).find("detected_lang"), std::string::npos);
}

TEST(SamplesFile, RefusesDamagedLinesByFileLineAndField) {
    const TemporaryFolder folder;
    const std::string good = sample_line(sample(0, 0));
    const auto expect_refused = [&](const std::string& second, const std::vector<std::string>& parts) {
        std::ofstream(folder / "s.jsonl") << good << "\n" << second << "\n";
        std::vector<std::string> wanted = {"s.jsonl:2"};
        wanted.insert(wanted.end(), parts.begin(), parts.end());
        expect_error([&] { for_each_sample(folder / "s.jsonl", [](std::int64_t, Sample&&) {}); }, wanted);
    };
    const auto changed = [&](const char* field, const Json& value) {
        Json line = Json::parse(sample_line(sample(1, 1)));
        if (value.is_discarded())
            line.erase(field);
        else
            line[field] = value;
        return line.dump();
    };
    expect_refused(good, {"x-1", "ko", "twice"});
    expect_refused("{\"id\":", {});
    expect_refused("[]", {"object"});
    for (const char* field :
         {"id", "occurrence", "lang", "prompt", "sample", "seed", "text", "tokens", "logprob", "finish_reason"}) {
        expect_refused(changed(field, Json(Json::value_t::discarded)), {std::string("'") + field + "'", "missing"});
        expect_refused(changed(field, Json::object()), {std::string("'") + field + "'"});
    }
    expect_refused(changed("tokens", {1, -2}), {"'tokens'"});
    expect_refused(changed("sample", -1), {"'sample'"});
    expect_refused(changed("seed", -1), {"'seed'"});
    expect_refused(changed("occurrence", 4294967296), {"'occurrence'"});
    expect_refused(changed("finish_reason", "eos"), {"'finish_reason'", "stop_string"});
}

TEST(SamplesFile, IsTheSameWhateverIsFinishedFirst) {
    Random random(3);
    for (const int processes : {1, 2, 5}) {
        const TemporaryFolder folder;
        std::vector<Sample> order = all_samples();
        for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
        std::vector<SampleWriter> writers;
        for (int process = 0; process < processes; ++process) writers.push_back(writer(folder / "samples.jsonl", process));
        for (std::size_t i = 0; i < order.size(); i += 2)
            writers[i / 2 % writers.size()].add(std::span(order).subspan(i, std::min<std::size_t>(2, order.size() - i)));
        EXPECT_FALSE(fs::exists(folder / "samples.jsonl"));
        writers.back().finish();
        EXPECT_EQ(read_file(folder / "samples.jsonl"), canonical_file());
        EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << "parts or temporary files stay";
    }
}

// A writer killed after every number of bytes: what was whole is kept, the torn line is made again.
TEST(SamplesFile, ResumesAfterAKillAtEveryByte) {
    const TemporaryFolder folder;
    const fs::path path = folder / "samples.jsonl";
    const fs::path part = folder / "samples.jsonl.part0";
    const std::vector<Sample> all = all_samples();
    writer(path).add(std::span(all).first(2));
    const std::string bytes = read_file(part);
    const std::size_t header = bytes.find('\n') + 1;
    const std::size_t first = bytes.find('\n', header) + 1;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        std::ofstream(part, std::ios::binary) << bytes.substr(0, size);
        SampleWriter resumed = writer(path);
        const std::int64_t whole = size < first ? 0 : size < bytes.size() ? 1 : 2;
        ASSERT_EQ(resumed.count(), whole) << size;
        ASSERT_EQ(resumed.dropped(), size == 0 || size == header || size == first || size == bytes.size() ? 0 : 1) << size;
        ASSERT_EQ(resumed.has(0, 0), whole >= 1);
        ASSERT_EQ(resumed.has(0, 1), whole == 2);
        if (size % 120 != 0 && bytes.size() - size > 2 && size != header && size != first) continue;
        std::vector<Sample> rest;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (!resumed.has(i / kSamples, static_cast<std::int32_t>(i % kSamples))) rest.push_back(all[i]);
        resumed.add(rest);
        ASSERT_EQ(writer(path).count(), static_cast<std::int64_t>(all.size())) << size;
        resumed.finish();
        ASSERT_EQ(read_file(path), canonical_file()) << size;
    }
}

// A process that dies in the middle of its work, another number of processes afterwards.
TEST(SamplesFile, AnotherNumberOfProcessesGoesOn) {
    const TemporaryFolder folder;
    const fs::path path = folder / "samples.jsonl";
    const std::vector<Sample> all = all_samples();
    const pid_t child = fork();
    if (child == 0) {
        SampleWriter first = writer(path, 0), second = writer(path, 3);
        first.add(std::span(all).subspan(4, 3));
        second.add(std::span(all).first(3));
        ::_exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_EQ(WEXITSTATUS(status), 9);
    SampleWriter resumed = writer(path, 1);
    EXPECT_EQ(resumed.count(), 6);
    expect_error([&] { resumed.finish(); }, {"6 of 12", "sample 0 of 'x-1' (en, occurrence 0)"});
    EXPECT_FALSE(fs::exists(path));
    resumed.add(std::span(all).subspan(3, 1));
    resumed.add(std::span(all).subspan(7));
    resumed.add(std::span(all).first(2));  // made again by mistake: the same bytes
    resumed.finish();
    EXPECT_EQ(read_file(path), canonical_file());
}

TEST(SamplesFile, PartsOfAnotherRunAreRefused) {
    const TemporaryFolder folder;
    const fs::path path = folder / "samples.jsonl";
    const std::vector<Sample> all = all_samples();
    writer(path).add(std::span(all).first(2));
    expect_error([&] { SampleWriter(path, "id-2", prompts(), kSamples); }, {"samples.jsonl.part0", "another run"});
    expect_error(
        [&] {
            SampleWriter(path, "id-1", {{"other", "en", 0}}, kSamples);
        },
        {"part0", "x-1", "ko", "none of this run's"});
    Sample other = all[0];
    other.text = "something else";
    SampleWriter second = writer(path, 1);
    second.add(std::span(&other, 1));
    expect_error([&] { writer(path, 2); }, {"part1", "part0", "different"});
    expect_error([&] { SampleWriter(path, "id-1", {{"a", "en", 0}, {"a", "en", 0}}, 1); }, {"'a'", "twice"});
    expect_error([&] { SampleWriter(path, "id-1", prompts(), 0); }, {"--samples"});
    SampleWriter third = writer(folder / "t.jsonl");
    other.sample = kSamples;
    expect_error([&] { third.add(std::span(&other, 1)); }, {"sample 3", "none of this run's"});
}

TEST(SamplesFile, NoPromptsGiveAnEmptyFile) {
    const TemporaryFolder folder;
    SampleWriter(folder / "samples.jsonl", "id", {}, 1).finish();
    EXPECT_EQ(read_file(folder / "samples.jsonl"), "");
}

}  // namespace
}  // namespace xlrm
