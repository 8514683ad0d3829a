#include "training_inputs.hpp"

#include "training_model.hpp"
#include "xlrm/comm/together.hpp"

namespace xlrm {
namespace {

std::unique_ptr<Objective> make_objective(const TrainOptions& options) {
    const RewardHeadOptions head{parse_pooling(options.pooling), options.share_prefix};
    if (options.objective == "lm") return make_language_model();
    if (options.objective == "sft") return make_sft();
    if (options.objective == "ranking") return make_plackett_luce(head);
    if (options.objective == "regression") return make_regression(head);
    if (options.objective == "dpo") {
        return make_dpo({.loss = parse_dpo_loss(options.loss_type),
                         .beta = options.beta,
                         .label_smoothing = options.label_smoothing,
                         .share_prefix = options.share_prefix});
    }
    return make_bradley_terry({.head = head,
                               .margin = parse_margin_use(options.margin),
                               .label_smoothing = options.label_smoothing,
                               .center_coefficient = options.center_rewards_coefficient,
                               .lm_coefficient = options.lm_coefficient});
}

}  // namespace

TrainingInputs read_training_inputs(const Communicator& group, const TrainOptions& options) {
    TrainingInputs in;
    together(group, [&] {
        check(options);
        in.objective = make_objective(options);
        in.tokenizer = load_tokenizer(tokenizer_folder(options));
        in.chat_template = load_chat_template(options.chat_template, tokenizer_folder(options), options.template_date);
    });
    in.data = read_training_data(group, options, *in.tokenizer, *in.chat_template);
    together(group, [&] {
        in.objective->check(in.data.train);
        in.objective->check(in.data.eval);
        in.order.emplace(static_cast<std::int64_t>(in.data.train.items.size()), options.batch_pairs, static_cast<std::uint64_t>(options.seed));
    });
    in.steps = options.steps > 0 ? options.steps : in.order->steps_of(options.epochs);
    in.warmup = options.warmup_steps > 0 ? options.warmup_steps : warmup_steps(options.warmup_ratio, in.steps);
    in.schedule = parse_schedule(options.schedule);
    return in;
}

}  // namespace xlrm
