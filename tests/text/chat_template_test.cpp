#include "xlrm/text/chat_template.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "support/shared_data.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/json.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

std::vector<ChatMessage> messages_of(const Json& list) {
    std::vector<ChatMessage> messages;
    for (const Json& message : list) messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
    return messages;
}

fs::path folder_with(const std::string& name, const std::string& file, const std::string& text) {
    const fs::path folder = fs::temp_directory_path() / ("xlrm_template_" + std::to_string(getpid()) + "_" + name);
    fs::remove_all(folder);
    fs::create_directories(folder);
    if (!file.empty()) std::ofstream(folder / file, std::ios::binary) << text;
    return folder;
}

std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Case {
    const char* name;
    const char* tokenizer;  //!< whose ids stand in the golden file
};

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, RendersAsTheJinjaSource) {
    const std::string name = GetParam().name;
    const fs::path data = test::shared_data() / "chat_templates";
    if (!fs::exists(data)) GTEST_SKIP() << "the published templates are not here: " << data;
    const auto chat = load_chat_template("auto", folder_with(name, "chat_template.jinja", text_of(data / (name + ".jinja"))));
    EXPECT_EQ(chat->name, name);
    const fs::path tokenizer_dir = test::shared_data() / "tokenizers" / GetParam().tokenizer;
    const auto tokenizer = *GetParam().tokenizer != '\0' ? load_tokenizer(tokenizer_dir) : nullptr;
    std::ifstream file(data / (name + ".golden.jsonl"));
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        const Json row = Json::parse(line);
        const auto messages = messages_of(row.at("messages"));
        const bool prompt = row.at("add_generation_prompt").get<bool>();
        if (row.contains("error") && !row.at("error").is_null()) {
            EXPECT_THROW(chat->render(messages, prompt), Error) << line;
            continue;
        }
        const std::string text = chat->render(messages, prompt);
        EXPECT_EQ(text, row.at("rendered").get<std::string>());
        if (!tokenizer) continue;
        EXPECT_EQ(tokenizer->encode(text, false), row.at("ids").get<std::vector<std::int32_t>>()) << line;
    }
    EXPECT_EQ(count, 24);
}
INSTANTIATE_TEST_SUITE_P(Templates, Golden, testing::Values(Case{"qwen2.5", "qwen2.5"}, Case{"llama-3.1", "llama3"}, Case{"gemma-2", ""}));

const std::string kChatMl =
    R"({% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";

TEST(ChatTemplate, IsRecognisedInEachPlace) {
    const std::string json = Json{{"chat_template", kChatMl}}.dump();
    const std::string list = Json{{"chat_template", {{{"name", "tool"}, {"template", "x"}}, {{"name", "default"}, {"template", kChatMl}}}}}.dump();
    EXPECT_EQ(load_chat_template("auto", folder_with("a", "chat_template.jinja", kChatMl + "\n"))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("b", "tokenizer_config.json", json))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("c", "chat_template.json", json))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("d", "tokenizer_config.json", list))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("e", "tokenizer_config.json", R"({"chat_template": null})"))->name, "none");
    EXPECT_EQ(load_chat_template("auto", folder_with("f", "", ""))->name, "none");
}

TEST(ChatTemplate, OneThatIsNotKnownIsNamedWithItsHash) {
    try {
        load_chat_template("auto", folder_with("g", "chat_template.jinja", "{{ messages }}"));
        FAIL() << "it was accepted";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("chat_template.jinja"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("SHA-256"), std::string::npos);
    }
    try {
        load_chat_template("lama-3.1", ".");
        FAIL() << "it was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_NE(std::string(error.what()).find("llama-3.1"), std::string::npos);
    }
}

TEST(ChatTemplate, NoneJoinsTheContentsByLineEnds) {
    const auto none = load_chat_template("none", ".");
    EXPECT_EQ(none->render({{"system", "S"}, {"user", " U "}}, true), "S\n U \n");
    EXPECT_EQ(none->render({{"user", "U"}, {"assistant", "A"}}, false), "U\nA");
    EXPECT_FALSE(none->writes_bos);
    EXPECT_FALSE(none->writes_eos);
}

TEST(ChatTemplate, LlamaWritesThePinnedDateAndTrimsUnicodeSpace) {
    const auto chat = load_chat_template("llama-3.2", ".", "01 Jan 2025");
    const std::string text = chat->render({{"system", "\u3000S\u00a0"}, {"user", "\x1c U\n"}}, true);
    EXPECT_EQ(text,
              "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 01 Jan 2025\n\nS<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, RefusesRolesItDoesNotKnow) {
    for (const std::string& name : chat_template_names()) {
        const auto chat = load_chat_template(name, ".");
        EXPECT_THROW(chat->render({}, true), Error) << name;
        if (name == "none") continue;
        EXPECT_THROW(chat->render({{"user", "a"}, {"critic", "b"}}, true), Error) << name;
    }
}

}  // namespace
}  // namespace xlrm
