#include "cases.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"
#include "xlrm/core/partition.hpp"
#include "xlrm/text/tokenizer.hpp"

namespace xlrm {
namespace {

void measure_tokenizing(Bench& bench) {
    std::unique_ptr<Tokenizer> tokenizer;
    std::vector<std::string> texts;
    together(bench.world, [&] {
        const Activity activity("reading the texts");
        tokenizer = load_tokenizer(tokenizer_folder(bench.options));
        for (const std::string& file : bench.options.texts) {
            for_each_line(file, [&](std::int64_t, std::string_view line) {
                if (!line.empty()) texts.emplace_back(line);
            });
        }
        require(!texts.empty(), "--text: the files hold no text");
    });
    const Range mine = block_range(static_cast<std::int64_t>(texts.size()), bench.world.rank(), bench.world.size());
    BenchRow row{"tokenize", tokenizer_folder(bench.options).filename().string(), ""};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        std::vector<double> counts(2, 0.0);
        const double seconds = timed(bench.world, [&] {
            for (std::int64_t t = mine.begin; t < mine.end; ++t) {
                const std::string& text = texts[static_cast<std::size_t>(t)];
                counts[0] += static_cast<double>(text.size());
                counts[1] += static_cast<double>(tokenizer->encode(text, false).size());
            }
        });
        bench.world.sum(std::span<double>(counts));
        if (!bench.counts(i)) continue;
        row.figure("text", "MB/s").samples.push_back(1e-6 * counts[0] / seconds);
        row.figure("tokens", "tokens/s").samples.push_back(counts[1] / seconds);
    }
    bench.rows.push_back(row);
}

}  // namespace

void add_tokenizing(const Bench& bench, BenchCases& cases) {
    double bytes = 0.0;
    for (const std::string& file : bench.options.texts) {
        std::error_code none;
        const auto size = std::filesystem::file_size(file, none);
        if (!none) bytes += static_cast<double>(size);
    }
    cases.push_back({"tokenize", "text", "", 0.0, bytes * static_cast<double>(bench.runs()) / 5e6, measure_tokenizing});
}

}  // namespace xlrm
