// What an Evaluator puts into a cell.
#include <utility>

#include "cell_scores.hpp"
#include "implicit_reward.hpp"
#include "model_facts.hpp"
#include "row_exchange.hpp"
#include "token_rows.hpp"
#include "xlrm/core/build_info.hpp"
#include "xlrm/core/problem.hpp"
#include "xlrm/eval/evaluator.hpp"

namespace xlrm {

namespace {

RowSource rows_of(const RowsOfAll& rows, std::size_t part, std::shared_ptr<const std::vector<std::int64_t>> answers) {
    return {std::ssize(*answers), [&rows, part, answers](std::int64_t first, std::span<std::byte> out) {
                const std::size_t count = out.size() / static_cast<std::size_t>(rows.layout().row_bytes(part));
                rows.read(part, first, std::span(*answers).subspan(static_cast<std::size_t>(first), count), out);
            }};
}

}  // namespace

Cell Evaluator::put_together(const ItemSet& set, const std::vector<float>& scores, const RowsOfAll& rows) const {
    const Activity activity("putting the cell together");
    const auto chosen = std::make_shared<std::vector<std::int64_t>>();
    const auto rejected = std::make_shared<std::vector<std::int64_t>>();
    pick_sides(set, scores, chosen.get(), rejected.get());
    Cell cell;
    fill_scores(set, scores, *chosen, *rejected, &cell);
    const std::vector<RowSpool::Part>& parts = rows.layout().parts();
    for (std::size_t part = 0; part < parts.size(); ++part) {
        cell.activations[capture_name(parts[part].capture)].push_back({static_cast<int>(parts[part].layer), parts[part].dtype,
                                                                       config_.hidden, rows_of(rows, part, chosen),
                                                                       rows_of(rows, part, rejected)});
    }
    if (options_.capture_tokens > 0) {
        cell.token_activations = capture_tokens(*decoder_, set, layers_, options_.capture_tokens,
                                                parse_dtype(options_.activation_dtype), *chosen, *rejected);
    }
    describe(set, &cell);
    return cell;
}

void Evaluator::describe(const ItemSet& set, Cell* out) const {
    Cell& cell = *out;
    cell.has_scores = has_scores();
    if (!layers_.empty()) {
        cell.final_norm = to_floats(model_->parameters.view("model.norm.weight"));
        // Stored as the factor that it is, so that a reader needs no rule for each family.
        if (config_.norm_weight == NormWeight::one_plus)
            for (float& factor : cell.final_norm) factor += 1.0f;
        cell.norm_eps = config_.norm_eps;
    }
    if (model_->head == HeadKind::reward) cell.head_weight = to_floats(model_->parameters.view("score.weight"));
    cell.model = folder_.filename().string();
    cell.source_lang = extra_text(extra_, "source", "");
    for (const Json& lang : set.attributes.at("langs"))
        cell.target_lang += (cell.target_lang.empty() ? "" : "+") + lang.get<std::string>();
    cell.seed = extra_.is_object() ? extra_.value("seed", std::int64_t{0}) : 0;
    cell.pooling = pooling_name(pooling_);
    cell.head = implicit_ ? "implicit" : has_scores() ? (options_.head_dtype == "hf" ? "hf" : "fp32") : "none";
    cell.chat_template = template_->name;
    cell.template_sha256 = template_->sha256;
    cell.tokenizer_sha256 = tokenizer_->sha256;
    cell.model_sha256 = model_->sha256;
    cell.dtype = options_.dtype;
    cell.provenance = {{"options", content_of(options_)}, {"code", version()}, {"inputs", set.attributes}};
    if (implicit_) cell.provenance["reference_sha256"] = implicit_->reference_sha256();
}

}  // namespace xlrm
