#include "xlrm/sweep/config.hpp"

namespace xlrm {

const std::string& quickstart_config() {
    static const std::string text = R"([data]
world = full
langs = en,es,it,ko,zh
[tokenizer]
vocab-size = 2000
[model]
hidden = 128
layers = 4
heads = 4
kv-heads = 2
intermediate = 352
[pretrain]
lr = 2e-3
batch-rows = 64
epochs = 3
[train]
lr = 3e-4
batch-pairs = 32
epochs = 2
)";
    return text;
}

}  // namespace xlrm
