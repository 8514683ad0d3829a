#include "chat_template_sources.hpp"

namespace xlrm {
namespace {

// Refuses an empty conversation and roles outside of `roles`, in front of every template.
std::string guarded(const std::string& roles, const std::string& source) {
    return "{%- if not messages %}{{ raise_exception('the conversation has no message') }}{% endif %}"
           "{%- for message in messages %}{% if message.role not in [" +
           roles +
           "] %}"
           "{{ raise_exception('role ' ~ message.role ~ ' is not known to the template') }}{% endif %}{% endfor -%}\n" +
           source;
}

std::string chatml(const std::string& system, bool tools) {
    const std::string first = system.empty() ? ""
                                             : "{%- if messages[0].role != 'system' %}{{ '<|im_start|>system\\n" + system +
                                                   "<|im_end|>\\n' }}{% endif %}";
    return guarded(tools ? "'system', 'user', 'assistant', 'tool'" : "'system', 'user', 'assistant'", first + R"(
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {%- if not loop.previtem or loop.previtem.role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}
        {{- '\n<tool_response>\n' + message.content + '\n</tool_response>' }}
        {%- if not loop.nextitem or loop.nextitem.role != 'tool' %}{{ '<|im_end|>\n' }}{% endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %})");
}

std::string llama(bool dated) {
    const std::string start =
        R"({%- macro block(role, content) %}{{ '<|start_header_id|>' + role + '<|end_header_id|>\n\n' + content + '<|eot_id|>' }}{% endmacro %}
{{- '<|begin_of_text|>' }})";
    const std::string system = R"({%- set system = '' %}
{%- if messages[0].role == 'system' %}{% set system = messages[0].content | trim %}{% set messages = messages[1:] %}{% endif %}
{{- block('system', 'Cutting Knowledge Date: December 2023\nToday Date: ' + date_string + '\n\n' + system) }})";
    return guarded(dated ? "'system', 'user', 'assistant', 'tool', 'ipython'" : "'system', 'user', 'assistant'",
                   start + (dated ? system : "") + R"(
{%- for message in messages %}
    {%- if message.role in ['tool', 'ipython'] %}{{ block('ipython', message.content | tojson) }}
    {%- else %}{{ block(message.role, message.content | trim) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %})");
}

const char* const kGemma = R"({{- '<bos>' }}
{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
    {{- '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\n' + message.content | trim + '<end_of_turn>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %})";

// `before`: what stands before a user's text and an answer; the three versions differ in blanks and in where the system message
// goes.
std::string mistral(const std::string& inst, const std::string& end, const std::string& answer, bool system_first) {
    const std::string where = system_first ? "loop.first" : "loop.last";
    return guarded("'system', 'user', 'assistant'", R"({{- '<s>' }}
{%- set system = '' %}
{%- if messages[0].role == 'system' %}{% set system = messages[0].content + '\n\n' %}{% set messages = messages[1:] %}{% endif %}
{%- for message in messages %}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('After the optional system message, conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
    {%- if message.role == 'user' %}{{ ')" + inst + "' + (system if " +
                                                        where + " else '') + message.content + '" + end + R"(' }}
    {%- else %}{{ ')" + answer + R"(' + message.content + '</s>' }}
    {%- endif %}
{%- endfor %})");
}

const char* const kPhi = R"(
{%- for message in messages %}
    {%- if message.role != 'system' or message.content %}{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' }}{% endif %}
{%- endfor %}
{{- '<|assistant|>\n' if add_generation_prompt else '<|endoftext|>' }})";

const char* const kDeepSeek = R"({%- set ns = namespace(system='') %}
{%- for message in messages %}{% if message.role == 'system' %}{% set ns.system = message.content %}{% endif %}{% endfor %}
{{- '<｜begin▁of▁sentence｜>' + ns.system }}
{%- for message in messages %}
    {%- if message.role == 'user' %}{{ '<｜User｜>' + message.content }}
    {%- elif message.role == 'assistant' %}{{ '<｜Assistant｜>' + message.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<｜Assistant｜><think>\n' }}{% endif %})";

const char* const kRoles = "'system', 'user', 'assistant'";

}  // namespace

const std::vector<BuiltinTemplate>& builtin_templates() {
    static const std::vector<BuiltinTemplate> list = {
        {"qwen2.5",
         "",
         "<|im_end|>",
         {"cd8e9439f0570856fd70470bf8889ebd8b5d1107207f67a5efb46e342330527f"},
         chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", true)},
        {"qwen2",
         "",
         "<|im_end|>",
         {"f0206845c9ebc3abb4735d44f286eb81ce99238ad2accc710c6fc60e6cb8ccc8",
          "44d5f08f3f72b837eaad09f13a54c1f9f4eb58d75240334548b7fd52a5437fa5"},
         chatml("You are a helpful assistant.", true)},
        {"chatml", "", "<|im_end|>", {"fcf7a096fe99a48fd9ad2b250bf9237e96e8f48bffec1c7ea4d3f225176cd40e"}, chatml("", false)},
        {"llama-3",
         "<|begin_of_text|>",
         "<|eot_id|>",
         {"ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122"},
         llama(false)},
        {"llama-3.1",
         "<|begin_of_text|>",
         "<|eot_id|>",
         {"e10ca381b1ccc5cf9db52e371f3b6651576caee0a630b452e2816b2d404d4b65"},
         llama(true)},
        {"llama-3.2",
         "<|begin_of_text|>",
         "<|eot_id|>",
         {"5816fce10444e03c2e9ee1ef8a4a1ea61ae7e69e438613f3b17b69d0426223a4"},
         llama(true)},
        {"llama-3.3", "<|begin_of_text|>", "<|eot_id|>", {}, llama(true)},
        {"gemma-2",
         "<bos>",
         "<eos>",
         {"ecd6ae513fe103f0eb62e8ab5bfa8d0fe45c1074fa398b089c93a7e70c15cfd6"},
         guarded(kRoles, kGemma)},
        {"mistral-v1", "<s>", "</s>", {}, mistral(" [INST] ", " [/INST]", " ", true)},
        {"mistral-v3", "<s>", "</s>", {}, mistral("[INST] ", "[/INST]", " ", false)},
        {"mistral-nemo", "<s>", "</s>", {}, mistral("[INST]", "[/INST]", "", false)},
        {"phi-3.5", "", "<|endoftext|>", {}, guarded(kRoles, kPhi)},
        {"deepseek-r1", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", {}, guarded(kRoles, kDeepSeek)},
    };
    return list;
}

FamilyTokens tokens_of_family(std::string_view source) {
    const auto has = [&](std::string_view text) { return source.find(text) != std::string_view::npos; };
    if (has("<|start_header_id|>")) return {"<|begin_of_text|>", "<|eot_id|>"};
    if (has("<start_of_turn>")) return {"<bos>", "<eos>"};
    if (has("<｜User｜>")) return {"<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"};
    if (has("<|im_start|>")) return {"", "<|im_end|>"};
    if (has("<|START_OF_TURN_TOKEN|>")) return {"<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"};
    if (has("<|assistant|>") && has("<|end|>")) return {"", "<|endoftext|>"};
    if (has("[INST]")) return {"<s>", "</s>"};
    return {};
}

}  // namespace xlrm
