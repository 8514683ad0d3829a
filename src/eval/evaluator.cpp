#include "xlrm/eval/evaluator.hpp"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <numeric>
#include <tuple>

#include "implicit_reward.hpp"
#include "model_facts.hpp"
#include "row_exchange.hpp"
#include "xlrm/comm/run_job.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/eval/evaluation_template.hpp"
#include "xlrm/infer/exactness.hpp"
#include "xlrm/infer/scorer.hpp"
#include "xlrm/ops/device.hpp"
#include "xlrm/store/occurrences.hpp"

namespace xlrm {

struct Evaluator::Inputs {
    ItemSet set;
    Range items;                        //!< this rank's
    std::vector<std::int64_t> answers;  //!< indices of this rank's items' answers
};

namespace {

at::ScalarType compute_type(const std::string& dtype) { return dtype == "bf16" ? at::kBFloat16 : at::kFloat; }

}  // namespace

Evaluator::Evaluator(std::filesystem::path model, EvaluateOptions options)
    : folder_(std::move(model)),
      options_(std::move(options)),
      config_(read_model_config(folder_ / "config.json")),
      extra_(std::filesystem::exists(folder_ / "xlrm.json") ? read_json(folder_ / "xlrm.json") : Json()),
      tokenizer_(load_tokenizer(folder_)),
      template_(evaluation_template(folder_, options_, extra_)) {
    check(options_);
    require(options_.label >= -1, "--label " + std::to_string(options_.label) + " is below 0; give the number of a label, from 0",
            ExitCode::usage);
    if (tokenizer_->vocab_size() > config_.vocab_size) {
        fail(folder_.string() + ": the tokenizer has " + std::to_string(tokenizer_->vocab_size()) +
             " ids, the model's embedding only " + std::to_string(config_.vocab_size) +
             " rows (an id could have no embedding); use the tokenizer the model was trained with");
    }
    pooling_ = parse_pooling(options_.pooling == "auto" ? extra_text(extra_, "pooling", "last") : options_.pooling);
    layers_ = parse_layers(options_.layers, config_.layers);
    if (options_.implicit.on) check_reference(options_.implicit, config_);
}

Evaluator::~Evaluator() = default;

HeadKind Evaluator::head() const {
    const bool reward = !options_.implicit.on && stored_head(folder_) == HeadKind::reward;
    require(reward || options_.label < 0,
            "--label " + std::to_string(options_.label) + ": " + folder_.string() +
                " is not read as a reward model (only a reward head has labels); leave the option out",
            ExitCode::usage);
    if (options_.implicit.on) return HeadKind::lm;
    return reward ? HeadKind::reward : HeadKind::none;
}

void Evaluator::load() {
    if (decoder_) return;
    model_ = load_model(folder_, head(), compute_type(options_.dtype), false, options_.label, options_.device);
    if (options_.implicit.on)
        implicit_ = std::make_unique<ImplicitReward>(options_.implicit, compute_type(options_.dtype), options_.device);
    decoder_ = std::make_unique<Decoder>(model_->config, model_->parameters);
}

PrepareOptions Evaluator::prepare_options(const std::vector<std::filesystem::path>& data,
                                          const std::vector<std::string>& langs) const {
    PrepareOptions prepare_options;
    prepare_options.inputs = data;
    prepare_options.langs = langs;
    prepare_options.forms = options_.forms;
    prepare_options.max_length = options_.max_length;
    prepare_options.over_length = parse_over_length(options_.over_length);
    prepare_options.split = options_.split;
    prepare_options.part = options_.part;
    prepare_options.keep_tied = true;
    prepare_options.rankings_too = true;
    return prepare_options;
}

Prepared Evaluator::read(const Communicator& group, const std::vector<std::filesystem::path>& data,
                         const std::vector<std::string>& langs, const std::filesystem::path& prepared_file) const {
    PrepareOptions wanted;
    together(group, [&] {
        wanted = prepare_options(data, langs);
        wanted.prepared = prepared_file;
    });
    Prepared prepared = prepare(group, wanted, *tokenizer_, *template_);
    together(group, [&] { require_known_tokens(prepared.set, config_.vocab_size, folder_.string()); });
    return prepared;
}

std::vector<ItemText> Evaluator::texts(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                                       std::span<const ScoredItem> items) const {
    for (const std::filesystem::path& path : data) {
        require(path.extension() != ".h5",
                path.string() +
                    ": prepared data do not keep the texts, which the result files hold; give --data the rows (.jsonl, .parquet)",
                ExitCode::usage);
    }
    std::map<std::tuple<std::string, std::string, std::int32_t>, std::size_t> places;
    for (std::size_t i = 0; i < items.size(); ++i) places[{items[i].lang, items[i].id, items[i].occurrence}] = i;
    std::vector<ItemText> texts(items.size());
    PrepareOptions options = prepare_options(data, langs);
    options.keep_columns = true;
    Occurrences counted;
    std::size_t found = 0;
    read_rows(options, [&](std::int64_t, PreferenceRow&& row) {
        const auto place = places.find({row.lang, row.id, counted.next(row.lang, row.id)});
        if (place == places.end()) return;  // dropped
        ++found;
        ItemText& text = texts[place->second];
        text.columns = std::move(row.columns);
        text.prompt = render_common(row, *template_, false).value_or("");
        for (std::size_t k = 0; k < row.answers.size(); ++k)
            text.texts.push_back(template_->render(row.conversation(k), false, row.variables));
    });
    require(found == items.size(),
            "the data changed while they were evaluated (rows of some items are gone); evaluate them again");
    return texts;
}

std::string Evaluator::report(const Communicator& group, const std::vector<std::filesystem::path>& data,
                              const std::vector<std::string>& langs) const {
    const Prepared prepared = read(group, data, langs);
    together(group, [&] {
        check_model(folder_, head(), false, options_.label);
        if (options_.implicit.on && options_.implicit.ref_model != "none") check_model(options_.implicit.ref_model, HeadKind::lm);
    });
    return format_report(prepared.report, prepared.notes);
}

Evaluator::Inputs Evaluator::share(const Communicator& group, ItemSet set) {
    Inputs inputs;
    inputs.set = std::move(set);
    inputs.items = block_range(static_cast<std::int64_t>(inputs.set.items.size()), group.rank(), group.size());
    for (std::int64_t i = inputs.items.begin; i < inputs.items.end; ++i) {
        const Item& item = inputs.set.items[static_cast<std::size_t>(i)];
        for (std::int64_t a = 0; a < item.answers; ++a) inputs.answers.push_back(item.first_answer + a);
    }
    return inputs;
}

ScoreOptions Evaluator::score_options() const {
    ScoreOptions score;
    score.pooling = pooling_;
    score.log_probs = implicit_ != nullptr;
    score.token_budget = options_.token_budget;
    score.head_rounded = options_.head_dtype == "hf";
    score.layers = layers_;
    score.capture_last = std::count(options_.capture.begin(), options_.capture.end(), "last") > 0;
    score.capture_mean = std::count(options_.capture.begin(), options_.capture.end(), "mean") > 0;
    return score;
}

// The last layer gives the score again, so it is kept as it is.
DType Evaluator::stored_as(std::int64_t layer) const {
    return layer == config_.layers ? DType::f32 : parse_dtype(options_.activation_dtype);
}

std::vector<RowSpool::Part> Evaluator::captured_parts() const {
    const ScoreOptions score = score_options();
    std::vector<RowSpool::Part> parts;
    for (const auto& [capture, asked] :
         {std::pair{Capture::last, score.capture_last}, std::pair{Capture::mean, score.capture_mean}})
        for (const std::int64_t layer : layers_)
            if (asked) parts.push_back({capture, layer, stored_as(layer)});
    return parts;
}

std::vector<float> Evaluator::score(const Inputs& inputs, RowSpool* spool) const {
    const ScoreOptions options = score_options();
    if (options_.exact == "yes") {
        require(inexactness_->empty(), "--exact yes: scores depend on the batch here: " + *inexactness_ +
                                           "; run with --exact no, where they "
                                           "agree within 5e-6·max(1, |score|) in fp32");
        require_exact(*decoder_, inputs.set, options);
    }
    ScoreResult mine = score_texts(
        *decoder_, inputs.set, inputs.answers, options, [](std::int64_t) { require_not_stopped("the texts were scored"); },
        [&](const CapturedRows& rows) { spool->take(rows); });
    if (implicit_) mine.scores = implicit_->rewards(mine.log_probs, inputs.set, inputs.answers, options);
    spool->require_storable();
    return std::move(mine.scores);
}

// Loads the model, once what is to be scored was read.
Evaluator::Inputs Evaluator::begin(const Communicator& group, Prepared&& prepared) {
    together(group, [&] {
        const Activity activity("loading the model");
        load();
    });
    notes_ = template_->describe() + format_notes(prepared.report);
    Inputs inputs;
    together(group, [&] { inputs = share(group, std::move(prepared.set)); });
    if (options_.exact != "no" && !inexactness_) inexactness_ = find_inexactness(group, *decoder_, options_.token_budget);
    return inputs;
}

Evaluator::ScoredRows Evaluator::score_rows(const Communicator& group, const std::vector<std::filesystem::path>& data,
                                            const std::vector<std::string>& langs) {
    PrepareOptions wanted;
    together(group, [&] {
        require(head() != HeadKind::none,
                folder_.string() + ": the model has no reward head, so it gives no scores (a policy has --reward implicit)");
        wanted = prepare_options(data, langs);
        wanted.kind = RowKind::response;
    });
    Prepared prepared = prepare(group, wanted, *tokenizer_, *template_);
    together(group, [&] { require_known_tokens(prepared.set, config_.vocab_size, folder_.string()); });
    ScoredRows result;
    result.names = prepared.names;
    const Inputs inputs = begin(group, std::move(prepared));
    std::vector<float> mine;
    together(group, [&] {
        const Activity activity("scoring the texts");
        RowSpool none({}, config_.hidden, static_cast<std::int64_t>(inputs.answers.size()));
        mine = score(inputs, &none);
    });
    result.items = inputs.set.items;
    result.scores = group.gather_to_root(mine);
    return result;
}

void Evaluator::evaluate(const Communicator& group, const std::vector<std::filesystem::path>& data,
                         const std::vector<std::string>& langs, const std::function<void(Cell&)>& finish,
                         const std::filesystem::path& prepared_file) {
    const Inputs inputs = begin(group, read(group, data, langs, prepared_file));
    std::optional<RowSpool> spool;
    std::vector<float> mine;
    together(group, [&] {
        const Activity activity("scoring the texts");
        spool.emplace(captured_parts(), config_.hidden, static_cast<std::int64_t>(inputs.answers.size()));
        mine = score(inputs, &*spool);
    });
    const std::vector<float> scores = group.gather_to_root(mine);
    with_rows_of_all(group, inputs.set, *spool, [&](const RowsOfAll& rows) {
        Cell cell = put_together(inputs.set, scores, rows);
        finish(cell);
    });
}

Json Evaluator::exactness() const {
    if (!inexactness_) return {{"exact", nullptr}};
    if (inexactness_->empty()) return {{"exact", true}};
    return {{"exact", false}, {"inexact", *inexactness_}};
}

Json run_facts(const Communicator& group, double seconds, at::Device device) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    Json facts = {{"host", host},
                  {"ranks", group.size()},
                  {"threads", at::get_num_threads()},
                  {"seconds", seconds},
                  {"finished", static_cast<std::int64_t>(std::time(nullptr))},
                  {"code", code_version()}};
    facts.update(device_facts(device));
    for (const char* name : {"SLURM_JOB_ID", "SLURM_RESTART_COUNT", "SLURM_JOB_NODELIST"}) {
        if (const char* value = std::getenv(name)) facts[name] = value;
    }
    return facts;
}

}  // namespace xlrm
