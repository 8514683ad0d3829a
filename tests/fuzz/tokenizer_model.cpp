#include "reader.hpp"
#include "xlrm/text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = xlrm_fuzz::as_file(data, size, "tokenizer.model");
    return xlrm_fuzz::read([&] {
        const auto tokenizer = xlrm::load_tokenizer(file.parent_path());
        for (const char* text : {"", "Hello  world, 123!\n", "\xed\x95\x9c\xea\xb5\xad \xe4\xbd\xa0 \xff <s> </s>"}) {
            const auto ids = tokenizer->encode(text, true);
            tokenizer->decode(ids);
        }
    });
}
