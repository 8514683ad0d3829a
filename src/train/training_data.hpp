#pragma once

#include <map>
#include <string>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/data/prepare.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! What a run learns from and is evaluated on.
struct TrainingData {
    ItemSet train, eval;
    std::map<std::string, LanguageReport> report, eval_report;
    RowNotes notes, eval_notes;
};

//! Collective. Reads and tokenises data and eval_data; `lm` documents longer than max_length are split. Throws Error.
TrainingData read_training_data(const Communicator& group, const TrainOptions& options, const Tokenizer& tokenizer,
                                const ChatTemplate& chat_template);

//! Documents of at most `max_length` tokens: longer ones become items "<id>#2", "<id>#3" … Each piece begins with the last token
//! of the piece before, so that every token but a document's first is predicted once.
ItemSet split_documents(const ItemSet& set, std::int64_t max_length);

//! Of everything that training sees.
std::string items_sha256(const ItemSet& set);

//! The languages of the items, sorted and joined by "+".
std::string languages_of(const ItemSet& set);

}  // namespace xlrm
