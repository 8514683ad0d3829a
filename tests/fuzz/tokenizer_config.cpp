// The settings beside a tokenizer.json that is in order: special tokens, flags, template variables.
#include <fstream>

#include "reader.hpp"
#include "xlrm/text/chat_template.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace {

constexpr const char* kTokenizer =
    R"({"version": "1.0", "added_tokens": [{"id": 4, "content": "<s>", "special": true, "single_word": false,
 "lstrip": false, "rstrip": false, "normalized": false}], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false,
 "trim_offsets": true, "use_regex": true}, "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true,
 "trim_offsets": true, "use_regex": true}, "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
 "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3}, "merges": ["a b"]}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto folder = xlrm_fuzz::as_file(data, size, "tokenizer_config.json").parent_path();
    if (!std::filesystem::exists(folder / "tokenizer.json")) std::ofstream(folder / "tokenizer.json") << kTokenizer;
    xlrm_fuzz::read([&] { xlrm::load_tokenizer(folder)->encode("abcab<s>", true); });
    xlrm_fuzz::read([&] { xlrm::load_chat_template("auto", folder)->render({{"user", "hi"}}, true); });
    return 0;
}
