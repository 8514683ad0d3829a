#include <sentencepiece_processor.h>

#include "cases.hpp"
#include "xlrm/comm/shared_temporary_folder.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/partition.hpp"
#include "xlrm/data/prepare_job.hpp"

namespace xlrm {
namespace {

std::filesystem::path library_model(const BenchOptions& options) { return tokenizer_folder(options) / "tokenizer.model"; }

PrepareJob job_of(const BenchOptions& options, const std::filesystem::path& output) {
    PrepareJob job;
    job.input = options.data;
    job.model = tokenizer_folder(options);
    job.output = output;
    job.chat_template = options.chat_template;
    job.template_date = options.template_date;
    job.max_length = options.max_length;
    return job;
}

// Every text that the tokenizer gets: documents; of other rows the prompt, whose tokens say where an answer begins, and prompt
// and answer.
std::vector<std::string> encoded_texts(const BenchOptions& bench) {
    const auto chat = load_chat_template(bench.chat_template, tokenizer_folder(bench), bench.template_date);
    PrepareOptions options;
    options.inputs.assign(bench.data.begin(), bench.data.end());
    options.kind = detect_row_kind(options.inputs.front());
    std::vector<std::string> texts;
    read_rows(options, [&](std::int64_t, PreferenceRow&& row) {
        if (row.is_document()) {
            texts.push_back(row.answers.front().text());
            return;
        }
        if (auto prompt = render_common(row, *chat, true)) texts.push_back(std::move(*prompt));
        for (std::size_t k = 0; k < row.answers.size(); ++k)
            texts.push_back(chat->render(row.conversation(k), false, row.variables));
    });
    return texts;
}

// Tokens of a rank's share of the texts, one call a text.
std::int64_t encode_all(const sentencepiece::SentencePieceProcessor& library, const std::vector<std::string>& texts,
                        const Range& mine) {
    std::int64_t tokens = 0;
    std::vector<int> pieces;
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
        const auto status = library.Encode(texts[static_cast<std::size_t>(i)], &pieces);
        require(status.ok(), "sentencepiece: " + status.ToString());
        tokens += static_cast<std::int64_t>(pieces.size());
    }
    return tokens;
}

void measure_preparing(Bench& bench) {
    sentencepiece::SentencePieceProcessor library;
    std::vector<std::string> texts;
    together(bench.world, [&] {
        const auto status = library.Load(library_model(bench.options).string());
        require(status.ok(), library_model(bench.options).string() + ": it cannot be read as a sentencepiece model (" +
                                 status.ToString() + ")");
        texts = encoded_texts(bench.options);
    });
    double megabytes = 0.0;
    for (const std::string& text : texts) megabytes += 1e-6 * static_cast<double>(text.size());
    const SharedTemporaryFolder folder(bench.world);
    const PrepareJob job = job_of(bench.options, folder / "items.h5");
    const Range mine = block_range(static_cast<std::int64_t>(texts.size()), bench.world.rank(), bench.world.size());
    BenchRow row{"prepare", tokenizer_folder(bench.options).filename().string(), ""};
    for (std::int64_t i = 0; i < bench.runs(); ++i) {
        std::int64_t tokens = 0;
        const double loop = timed(bench.world, [&] { tokens = encode_all(library, texts, mine); });
        bench.world.sum(std::span<std::int64_t>(&tokens, 1));
        const double whole = timed(bench.world, [&] { job.run(bench.world, false); });
        if (!bench.counts(i)) continue;
        row.figure("prepare", "MB/s").samples.push_back(megabytes / whole);
        row.figure("library", "MB/s").samples.push_back(megabytes / loop);
        row.figure("library tokens", "tokens/s").samples.push_back(static_cast<double>(tokens) / loop);
        row.figure("prepare / library", "x").samples.push_back(loop / whole);
    }
    bench.rows.push_back(row);
}

}  // namespace

bool preparable(const Bench& bench) {
    return !bench.options.data.empty() && std::filesystem::exists(library_model(bench.options));
}

void add_preparing(const Bench& bench, BenchCases& cases) {
    require(preparable(bench),
            library_model(bench.options).string() +
                ": there is no such file (prepare compares with the sentencepiece library); give --tokenizer",
            ExitCode::usage);
    double bytes = 0.0;
    for (const std::string& file : bench.options.data) {
        std::error_code none;
        const auto size = std::filesystem::file_size(file, none);
        if (!none) bytes += static_cast<double>(size);
    }
    cases.push_back({"prepare", "rows", "", 0.0, bytes * static_cast<double>(bench.runs()) / 1e6, measure_preparing});
}

}  // namespace xlrm
