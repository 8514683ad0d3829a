#include "xlrm/eval/evaluator.hpp"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <numeric>

#include "activation_rows.hpp"
#include "cell_scores.hpp"
#include "implicit_reward.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/eval/exactness.hpp"
#include "xlrm/model/scorer.hpp"
#include "xlrm/text/prepare.hpp"

namespace xlrm {

struct Evaluator::Inputs {
    ItemSet set;
    Range items;                        //!< this rank's
    std::vector<std::int64_t> answers;  //!< indices of this rank's items' answers
};

namespace {

at::ScalarType compute_type(const std::string& dtype) { return dtype == "bf16" ? at::kBFloat16 : at::kFloat; }

HeadKind evaluated_head(const std::filesystem::path& folder, bool implicit) {
    if (implicit) return HeadKind::lm;
    return stored_head(folder) == HeadKind::reward ? HeadKind::reward : HeadKind::none;
}

std::string extra_text(const Json& extra, const char* key, const std::string& absent) {
    return extra.is_object() && extra.contains(key) && extra[key].is_string() ? extra[key].get<std::string>() : absent;
}

}  // namespace

Evaluator::Evaluator(std::filesystem::path model, EvaluateOptions options)
    : folder_(std::move(model)),
      options_(std::move(options)),
      model_(load_model(folder_, evaluated_head(folder_, options_.implicit.on), compute_type(options_.dtype))),
      tokenizer_(load_tokenizer(folder_)),
      template_(load_chat_template(options_.chat_template == "auto" ? extra_text(model_.extra, "template", "auto") : options_.chat_template,
                                   folder_)) {
    if (tokenizer_->vocab_size() > model_.config.vocab_size) {
        fail(folder_.string() + ": the tokenizer has " + std::to_string(tokenizer_->vocab_size()) + " ids, the model's embedding only " +
             std::to_string(model_.config.vocab_size) + " rows (an id could have no embedding); use the tokenizer the model was trained with");
    }
    pooling_ = parse_pooling(options_.pooling == "auto" ? extra_text(model_.extra, "pooling", "last") : options_.pooling);
    layers_ = parse_layers(options_.layers, model_.config.layers);
    decoder_ = std::make_unique<Decoder>(model_.config, model_.parameters);
    if (options_.implicit.on) implicit_ = std::make_unique<ImplicitReward>(options_.implicit, model_, compute_type(options_.dtype));
}

Evaluator::~Evaluator() = default;

PrepareOptions Evaluator::prepare_options(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs) const {
    PrepareOptions prepare_options;
    prepare_options.inputs = data;
    prepare_options.langs = langs;
    prepare_options.max_length = options_.max_length;
    prepare_options.over_length = parse_over_length(options_.over_length);
    prepare_options.split = options_.split;
    prepare_options.part = options_.part;
    prepare_options.keep_tied = true;
    return prepare_options;
}

Prepared Evaluator::read(const Communicator& group, const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs) const {
    return prepare(group, prepare_options(data, langs), *tokenizer_, *template_);
}

std::vector<ItemText> Evaluator::texts(const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                                       const std::vector<std::int64_t>& lines) const {
    std::map<std::int64_t, std::size_t> places;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        require(lines[i] >= 0, "the texts of prepared .h5 data are not kept, and the result files hold them; give --data the rows (.jsonl, .parquet)", ExitCode::usage);
        places[lines[i]] = i;
    }
    std::vector<ItemText> texts(lines.size());
    PrepareOptions options = prepare_options(data, langs);
    options.keep_columns = true;
    read_rows(options, [&](std::int64_t line, PreferenceRow&& row) {
        const auto place = places.find(line);
        if (place == places.end()) return;  // dropped
        ItemText& text = texts[place->second];
        text.columns = std::move(row.columns);
        text.prompt = template_->render(row.prompt, false);
        row.prompt.push_back({"assistant", ""});
        for (std::string& answer : row.answers) {
            row.prompt.back().content = std::move(answer);
            text.texts.push_back(template_->render(row.prompt, false));
        }
    });
    return texts;
}

std::map<std::string, LanguageReport> Evaluator::report(const Communicator& group, const std::vector<std::filesystem::path>& data,
                                                        const std::vector<std::string>& langs) const {
    return read(group, data, langs).report;
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

Cell Evaluator::evaluate(const Communicator& group, const std::vector<std::filesystem::path>& data, const std::vector<std::string>& langs,
                         std::vector<std::int64_t>* lines) {
    Prepared prepared = read(group, data, langs);
    if (lines != nullptr) *lines = std::move(prepared.lines);
    const Inputs inputs = share(group, std::move(prepared.set));
    ScoreOptions score;
    score.pooling = pooling_;
    score.log_probs = implicit_ != nullptr;
    score.token_budget = options_.token_budget;
    score.head_rounded = options_.head_dtype == "hf";
    score.layers = layers_;
    score.capture_last = std::count(options_.capture.begin(), options_.capture.end(), "last") > 0;
    score.capture_mean = std::count(options_.capture.begin(), options_.capture.end(), "mean") > 0;
    const DType dtype = parse_dtype(options_.activation_dtype);
    const auto stored_as = [&](std::int64_t layer) { return layer == model_.config.layers ? DType::f32 : dtype; };
    if (options_.exact != "no" && !inexactness_) inexactness_ = find_inexactness(group, *decoder_, options_.token_budget);
    ScoreResult mine;
    together(group, [&] {
        if (options_.exact == "yes") {
            require(inexactness_->empty(), "--exact yes: scores depend on the batch here: " + *inexactness_ + "; run with --exact no, where they "
                    "agree within 5e-6·max(1, |score|) in fp32");
            require_exact(*decoder_, inputs.set, score);
        }
        mine = score_texts(*decoder_, inputs.set, inputs.answers, score);
        if (implicit_) mine.scores = implicit_->rewards(mine.log_probs, inputs.set, inputs.answers, score);
        for (const auto* rows : {&mine.last, &mine.mean}) {
            for (const auto& [layer, tensor] : *rows) require_storable(tensor, static_cast<int>(layer), stored_as(layer));
        }
    });

    const std::vector<float> scores = gather_floats(group, mine.scores);
    Cell cell;
    std::vector<std::int64_t> chosen;
    std::vector<std::int64_t> rejected;
    pick_sides(inputs.set, scores, &chosen, &rejected);
    for (const auto& [capture, rows] : {std::pair{"last", &mine.last}, std::pair{"mean", &mine.mean}}) {
        for (const auto& [layer, tensor] : *rows) {
            LayerRows out = gather_layer(group, tensor, static_cast<int>(layer), stored_as(layer), chosen, rejected);
            if (group.root()) cell.activations[capture].push_back(std::move(out));
        }
    }
    on_root(group, [&] {
        fill_scores(inputs.set, scores, chosen, rejected, &cell);
        if (options_.capture_tokens > 0) {
            cell.token_activations = capture_tokens(*decoder_, inputs.set, layers_, options_.capture_tokens, dtype, chosen, rejected);
        }
        describe(inputs.set, langs, &cell);
    });
    return cell;
}

void Evaluator::describe(const ItemSet& set, const std::vector<std::string>& langs, Cell* out) const {
    Cell& cell = *out;
    cell.has_scores = has_scores();
    if (!layers_.empty()) {
        cell.final_norm = to_floats(model_.parameters.view("model.norm.weight"));
        // Stored as the factor that it is, so that a reader needs no rule for each family.
        if (model_.config.norm_weight == NormWeight::one_plus)
            for (float& factor : cell.final_norm) factor += 1.0f;
        cell.norm_eps = model_.config.norm_eps;
    }
    if (model_.head == HeadKind::reward) cell.head_weight = to_floats(model_.parameters.view("score.weight"));
    cell.model = folder_.filename().string();
    cell.source_lang = extra_text(model_.extra, "source", "");
    for (const std::string& lang : langs) cell.target_lang += (cell.target_lang.empty() ? "" : "+") + lang;
    cell.seed = model_.extra.is_object() ? model_.extra.value("seed", std::int64_t{0}) : 0;
    cell.pooling = pooling_name(pooling_);
    cell.head = implicit_ ? "implicit" : has_scores() ? (options_.head_dtype == "hf" ? "hf" : "fp32") : "none";
    cell.chat_template = template_->name;
    cell.template_sha256 = template_->sha256;
    cell.tokenizer_sha256 = tokenizer_->sha256;
    cell.model_sha256 = model_.sha256;
    cell.dtype = options_.dtype;
    cell.provenance = {{"options", content_of(options_)}, {"code", version()}, {"inputs", set.attributes}};
    if (implicit_) cell.provenance["reference_sha256"] = implicit_->reference_sha256();
}

Json Evaluator::exactness() const {
    if (!inexactness_) return {{"exact", nullptr}};
    if (inexactness_->empty()) return {{"exact", true}};
    return {{"exact", false}, {"inexact", *inexactness_}};
}

Json run_facts(const Communicator& group, double seconds) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    Json facts = {{"host", host}, {"ranks", group.size()}, {"threads", at::get_num_threads()}, {"seconds", seconds},
                  {"finished", static_cast<std::int64_t>(std::time(nullptr))}, {"code", code_version()}};
    for (const char* name : {"SLURM_JOB_ID", "SLURM_RESTART_COUNT", "SLURM_JOB_NODELIST"}) {
        if (const char* value = std::getenv(name)) facts[name] = value;
    }
    return facts;
}

}  // namespace xlrm
