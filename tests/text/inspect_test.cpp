#include "xlrm/text/inspect.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"

namespace xlrm {
namespace {

struct Lines {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("xlrm_inspect_" + std::to_string(getpid()) + ".jsonl");
    std::vector<std::string> out;
    EmitLine emit = [this](const std::string& line) { out.push_back(line); };
    explicit Lines(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
    ~Lines() { std::filesystem::remove(path); }
    Lines(const Lines&) = delete;
    Lines& operator=(const Lines&) = delete;
};

TEST(Inspect, TokenizesBothWaysAndKeepsTheFields) {
    const auto tokenizer = load_bpe(test::fixture("text/bpe_special.json"));
    Lines lines("{\"n\": 1, \"text\": \"niño <s>\", \"z\": [2]}\n\n{\"text\": \"a\xFF\"}");
    inspect_tokenize(*tokenizer, lines.path, false, true, lines.emit);
    ASSERT_EQ(lines.out.size(), 2U);
    Json row = Json::parse(lines.out[0]);
    EXPECT_EQ(row.at("n"), 1);
    EXPECT_EQ(row.at("z"), Json::parse("[2]"));
    EXPECT_EQ(row.at("ids").get<std::vector<std::int32_t>>(), tokenizer->encode("niño <s>", true));
    EXPECT_EQ(Json::parse(lines.out[1]).at("ids").get<std::vector<std::int32_t>>(), tokenizer->encode("a\uFFFD", true));
    Lines back("{\"ids\": " + Json(tokenizer->encode("niño <s>", false)).dump() + "}");
    inspect_tokenize(*tokenizer, back.path, true, true, back.emit);
    EXPECT_EQ(Json::parse(back.out.at(0)).at("text"), "niño <s>");
}

TEST(Inspect, NamesLineAndFieldOfWhatIsWrong) {
    const auto tokenizer = load_bpe(test::fixture("text/bpe_special.json"));
    const auto message = [&](const std::string& text, bool decode) {
        Lines lines("{\"text\": \"a\", \"ids\": [1]}\n" + text);
        try {
            inspect_tokenize(*tokenizer, lines.path, decode, false, lines.emit);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_NE(message("{\"ids\": [1]}", false).find(":2: field 'text' is missing"), std::string::npos);
    EXPECT_NE(message("{\"text\": 3}", false).find(":2: field 'text' is not text"), std::string::npos);
    EXPECT_NE(message("{\"ids\": [99999]}", true).find(":2: field 'ids'"), std::string::npos);
    EXPECT_NE(message("{\"ids\": [1.5]}", true).find(":2: field 'ids' holds 1.5"), std::string::npos);
    EXPECT_NE(message("{", true).find(":2"), std::string::npos);
}

TEST(Inspect, RendersOrTellsWhyNot) {
    const auto chat = load_chat_template("gemma-2", ".");
    Lines lines(
        "{\"messages\": [{\"role\": \"user\", \"content\": \" a \"}], \"add_generation_prompt\": true}\n"
        "{\"messages\": [{\"role\": \"system\", \"content\": \"a\"}]}\n");
    inspect_render(*chat, lines.path, lines.emit);
    ASSERT_EQ(lines.out.size(), 2U);
    EXPECT_EQ(Json::parse(lines.out[0]).at("text"), "<bos><start_of_turn>user\na<end_of_turn>\n<start_of_turn>model\n");
    EXPECT_FALSE(Json::parse(lines.out[1]).contains("text"));
    EXPECT_NE(Json::parse(lines.out[1]).at("error").get<std::string>().find("System role"), std::string::npos);
}

}  // namespace
}  // namespace xlrm
