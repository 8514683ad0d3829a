#include "training_inputs.hpp"

#include "training_model.hpp"
#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/train/objectives.hpp"

namespace xlrm {
namespace {

// Before any of them is an index.
void check_items(const TrainingInputs& in, const TrainOptions& options, const std::optional<ModelConfig>& reference) {
    for (const ItemSet* set : {&in.data.train, &in.data.eval}) {
        in.objective->check(*set);
        require_known_tokens(*set, in.config.vocab_size, options.model.empty() ? options.model_config : options.model);
        if (reference) require_known_tokens(*set, reference->vocab_size, "--ref-model " + options.ref_model);
    }
    if (in.data.train.items.empty() || in.data.eval.items.empty()) return;
    const std::int64_t outputs = in.objective->outputs(in.data.train);
    if (const std::int64_t others = in.objective->outputs(in.data.eval); others != outputs) {
        fail("the items of --eval-data have " + std::to_string(others) + " label(s) and those of --data " +
             std::to_string(outputs) + " (an output of the head is learnt for each); give both the same");
    }
}

}  // namespace

TrainingInputs read_training_inputs(const Communicator& group, const TrainOptions& options) {
    TrainingInputs in;
    std::optional<ModelConfig> reference;
    together(group, [&] {
        const Activity activity("reading the tokenizer and the template");
        check(options);
        in.objective = objective_entry(options.objective).make(options);
        in.tokenizer = load_tokenizer(tokenizer_folder(options));
        in.chat_template = load_chat_template(options.chat_template, tokenizer_folder(options), options.template_date);
        in.config = first_config(options, *in.tokenizer);
        require_fit(options, in.config, *in.tokenizer);
        if (!options.ref_model.empty()) reference = read_model_config(std::filesystem::path(options.ref_model) / "config.json");
    });
    in.data = read_training_data(group, options, *in.tokenizer, *in.chat_template);
    together(group, [&] {
        const Activity activity("checking the training data");
        check_items(in, options, reference);
        in.order.emplace(static_cast<std::int64_t>(in.data.train.items.size()), options.batch_pairs,
                         static_cast<std::uint64_t>(options.seed));
        in.steps = options.steps > 0 ? options.steps : in.order->steps_of(options.epochs);
        in.warmup = options.warmup_steps > 0 ? options.warmup_steps : warmup_steps(options.warmup_ratio, in.steps);
        in.schedule = parse_schedule(options.schedule);
    });
    return in;
}

}  // namespace xlrm
