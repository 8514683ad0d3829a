#include "training_data.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "xlrm/comm/together.hpp"
#include "xlrm/core/error.hpp"
#include "xlrm/core/sha256.hpp"
#include "xlrm/train/objectives.hpp"

namespace xlrm {
namespace {

bool learns_documents(const TrainOptions& options) { return objective_entry(options.objective).rows == RowKind::document; }

PrepareOptions prepare_options(const TrainOptions& options, const std::vector<std::string>& inputs, const std::string& part,
                               bool evaluates) {
    PrepareOptions out;
    out.inputs.assign(inputs.begin(), inputs.end());
    out.langs = options.langs;
    out.kind = objective_entry(options.objective).rows;
    out.forms = options.forms;
    out.max_length = learns_documents(options) ? std::numeric_limits<std::int32_t>::max() : options.max_length;
    out.over_length = parse_over_length(options.over_length);
    if (!part.empty()) out.split = options.split;
    out.part = part;
    out.keep_tied = evaluates;  // as xlrm_evaluate counts
    if (!evaluates) out.prepared = options.prepared;
    out.default_lang = options.default_lang;
    out.concatenate = options.concatenate;
    out.seed = static_cast<std::uint64_t>(options.seed);
    return out;
}

template <typename T>
void add_values(Sha256& hash, const std::vector<T>& values) {
    hash.add({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

TrainingData read_training_data(const Communicator& group, const TrainOptions& options, const Tokenizer& tokenizer,
                                const ChatTemplate& chat_template) {
    TrainingData data;
    const auto read = [&](const std::vector<std::string>& inputs, const std::string& part, bool evaluates, ItemSet& set,
                          auto& report, RowNotes& notes) {
        PrepareOptions wanted;
        together(group, [&] { wanted = prepare_options(options, inputs, part, evaluates); });
        Prepared prepared = prepare(group, wanted, tokenizer, chat_template);
        together(group, [&] {
            const Activity activity("dividing the documents");
            set = learns_documents(options) ? split_documents(prepared.set, options.max_length) : std::move(prepared.set);
            report = std::move(prepared.report);
            notes = std::move(prepared.notes);
        });
    };
    read(options.data, options.part, false, data.train, data.report, data.notes);
    if (!options.eval_data.empty())
        read(options.eval_data, options.eval_part, true, data.eval, data.eval_report, data.eval_notes);
    return data;
}

ItemSet split_documents(const ItemSet& set, std::int64_t max_length) {
    ItemSet out;
    out.tokens = set.tokens;
    out.attributes = set.attributes;
    const std::int64_t stride = max_length - 1;
    for (const Item& item : set.items) {
        const Answer& whole = set.answers[static_cast<std::size_t>(item.first_answer)];
        std::int64_t piece = 1;
        for (std::int64_t begin = 0; begin == 0 || begin + 1 < whole.length; begin += stride, ++piece) {
            Item part = item;
            part.first_answer = static_cast<std::int64_t>(out.answers.size());
            if (piece > 1) part.id += "#" + std::to_string(piece);
            const auto length = static_cast<std::int32_t>(std::min(max_length, whole.length - begin));
            out.answers.push_back({whole.begin + begin, length, begin == 0 ? whole.prompt : 0});
            out.items.push_back(std::move(part));
        }
    }
    return out;
}

std::string items_sha256(const ItemSet& set) {
    Sha256 hash;
    add_values(hash, set.tokens);
    for (const Answer& answer : set.answers) {
        add_values(hash, std::vector<std::int64_t>{answer.begin, answer.length, answer.prompt});
        if (answer.lead != 0) add_values(hash, std::vector<std::int64_t>{answer.lead});
    }
    for (const Item& item : set.items) {
        hash.add(item.id + "\n" + item.lang + "\n" + item.subset + "\n");
        add_values(hash, std::vector<std::int64_t>{item.first_answer, item.answers, item.num_correct});
        add_values(hash, std::vector<float>{item.margin});
        add_values(hash, item.labels);
    }
    return hash.hex();
}

std::string languages_of(const ItemSet& set) {
    std::set<std::string> langs;
    for (const Item& item : set.items) langs.insert(item.lang);
    std::string out;
    for (const std::string& lang : langs) out += (out.empty() ? "" : "+") + lang;
    return out;
}

}  // namespace xlrm
