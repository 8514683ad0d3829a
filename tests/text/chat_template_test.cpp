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
    for (const Json& message : list)
        messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
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
INSTANTIATE_TEST_SUITE_P(Templates, Golden,
                         testing::Values(Case{"qwen2.5", "qwen2.5"}, Case{"llama-3.1", "llama3"}, Case{"gemma-2", ""}));

const std::string kChatMl =
    R"({% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})";

TEST(ChatTemplate, IsRecognisedInEachPlace) {
    const std::string json = Json{{"chat_template", kChatMl}}.dump();
    const std::string list =
        Json{{"chat_template", {{{"name", "tool"}, {"template", "x"}}, {{"name", "default"}, {"template", kChatMl}}}}}.dump();
    EXPECT_EQ(load_chat_template("auto", folder_with("a", "chat_template.jinja", kChatMl + "\n"))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("b", "tokenizer_config.json", json))->name, "chatml");
    EXPECT_EQ(load_chat_template("jinja:chat_template.json", folder_with("c", "chat_template.json", json))->name,
              "jinja:chat_template.json");
    EXPECT_EQ(load_chat_template("auto", folder_with("d", "tokenizer_config.json", list))->name, "chatml");
    EXPECT_EQ(load_chat_template("auto", folder_with("e", "tokenizer_config.json", R"({"chat_template": null})"))->name, "none");
    EXPECT_EQ(load_chat_template("auto", folder_with("f", "", ""))->name, "none");
}

// Goldens: `tests/fixtures/text/make_templates.py` (jinja2 with the settings of transformers).
TEST(ChatTemplate, RendersEachConstructAsJinjaDoes) {
    std::ifstream file(test::fixture("text/templates.golden.jsonl"));
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        const Json row = Json::parse(line);
        const fs::path folder = folder_with("golden", "chat_template.jinja", row.at("template").get<std::string>());
        std::ofstream(folder / "tokenizer_config.json") << R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}})";
        const auto chat = load_chat_template("auto", folder);
        EXPECT_EQ(chat->name, "jinja");
        if (row.contains("error")) {
            EXPECT_THROW(chat->render(row.at("messages"), true, row.at("variables")), Error) << row.at("template");
        } else {
            EXPECT_EQ(chat->render(row.at("messages"), true, row.at("variables")), row.at("text").get<std::string>())
                << row.at("template");
        }
    }
    EXPECT_GE(count, 100);
}

TEST(ChatTemplate, NamesTheConstructThatItDoesNotSupport) {
    const auto message = [](const std::string& source) {
        try {
            load_chat_template("auto", folder_with("g", "chat_template.jinja", source))->render({{"user", "a"}}, true);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_NE(message("a\nb {{ messages | frobnicate }}").find("chat_template.jinja:2: the filter 'frobnicate'"),
              std::string::npos);
    EXPECT_NE(message("{% include 'x' %}").find("'{% include %}'"), std::string::npos);
    EXPECT_NE(message("{% if x is prime %}{% endif %}").find("the test 'prime'"), std::string::npos);
    EXPECT_NE(message("{{ 'a'.zfill(3) }}").find("the method 'zfill'"), std::string::npos);
    EXPECT_NE(message("{{ [].append(3) }}").find("the method 'append'"), std::string::npos);
    EXPECT_NE(message("{{ lipsum() }}").find("'lipsum'"), std::string::npos);
    EXPECT_NE(message("{{ 2 ** 3 }}").find("'**'"), std::string::npos);
    EXPECT_NE(message("{% for a in b recursive %}{% endfor %}").find("recursive"), std::string::npos);
    EXPECT_NE(message("{% if a %}").find("'endif' is missing"), std::string::npos);
    EXPECT_NE(message("{{ raise_exception('no such turn') }}").find("no such turn"), std::string::npos);
}

TEST(ChatTemplate, StopsWhatTakesTooLong) {
    const auto refused = [](const std::string& source) {
        EXPECT_THROW(load_chat_template("auto", folder_with("h", "chat_template.jinja", source))->render({{"user", "a"}}, true),
                     Error)
            << source.substr(0, 80);
    };
    refused("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
    refused("{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}");
    refused("{{ 'a' * 99999999999 }}");
    refused("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
    refused("{{ " + std::string(5000, '(') + "1" + std::string(5000, ')') + " }}");
    refused("{{ " + std::string(5000, '-') + "1 }}");
}

TEST(ChatTemplate, AnUnknownNameIsAUsageError) {
    try {
        load_chat_template("lama-3.1", ".");
        FAIL() << "it was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_NE(std::string(error.what()).find("llama-3.1"), std::string::npos);
    }
    EXPECT_THROW(load_chat_template("auto", ".", "someday"), Error);
}

TEST(ChatTemplate, ADateComesFromTheOption) {
    const auto chat = load_chat_template(
        "auto", folder_with("i", "chat_template.jinja", "{{ strftime_now('%d %B %Y, %A') }}{{ bos_token }}"), "2025-01-05");
    EXPECT_EQ(chat->render({{"user", "a"}}, true), "05 January 2025, Sunday");
    EXPECT_EQ(chat->date, "05 Jan 2025");
    EXPECT_EQ(
        load_chat_template("auto", folder_with("j", "chat_template.jinja", "{{ date_string }}"))->render({{"user", "a"}}, true),
        "26 Jul 2024");
    EXPECT_EQ(load_chat_template("chatml", ".")->date, "");
}

TEST(ChatTemplate, BuiltinOnesEqualTheirPublishedSources) {
    const fs::path data = test::shared_data() / "chat_templates";
    if (!fs::exists(data)) GTEST_SKIP() << "the published templates are not here: " << data;
    for (const std::string name : {"qwen2.5", "llama-3.1", "gemma-2"}) {
        const auto chat = load_chat_template(name, ".");
        std::ifstream file(data / (name + ".golden.jsonl"));
        for (std::string line; std::getline(file, line);) {
            const Json row = Json::parse(line);
            const auto messages = messages_of(row.at("messages"));
            const bool prompt = row.at("add_generation_prompt").get<bool>();
            if (row.at("rendered").is_null())
                EXPECT_THROW(chat->render(messages, prompt), Error) << line;
            else
                EXPECT_EQ(chat->render(messages, prompt), row.at("rendered").get<std::string>());
        }
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
              "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: "
              "01 Jan 2025\n\nS<|eot_id|>"
              "<|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, SaysWhichFieldsItReads) {
    const auto chat = load_chat_template("auto", folder_with("reads", "chat_template.jinja", R"({# name #} audio
{%- macro show(m, of=m.name) %}{{ m.get("reasoning_content", "") }}{% endmacro %}
{%- for m in messages if 'tool_calls' in m %}{% if a and not (tools is none) %}{{ [1, {'a': m['images'][0]}] }}{% endif %}{% endfor %})"));
    for (const char* field : {"name", "reasoning_content", "tool_calls", "tools", "images"})
        EXPECT_TRUE(chat->reads(field)) << field;
    for (const char* field : {"audio", "documents", "tool"}) EXPECT_FALSE(chat->reads(field)) << field;
    const auto none = load_chat_template("none", ".");
    EXPECT_TRUE(none->reads("content"));
    EXPECT_FALSE(none->reads("tools"));
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
