#include "xlrm/text/chat_template.hpp"
#include "reader.hpp"

using xlrm::Json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "chat_template.jinja");
    return xlrm_fuzz::read([&] {
        const auto chat = xlrm::load_chat_template("auto", file.parent_path());
        const Json messages = Json::parse(R"([{"role": "system", "content": "S"}, {"role": "user", "content": "a b\nc"},
            {"role": "assistant", "content": "d", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}, {"role": "user", "content": ""}])");
        const Json variables = Json::parse(R"({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]})");
        chat->render(messages, true, variables);
    });
}
