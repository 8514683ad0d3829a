#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "xlrm/core/options.hpp"
#include "xlrm/data/row_form_options.hpp"

namespace xlrm {

//! The reward that is implied by a policy, instead of a reward head's.
struct ImplicitOptions {
    bool on = false;
    std::string ref_model;  //!< folder of the reference π₀; none = without one
    double beta = 0.1;
};

//! How a model is evaluated; the same for every cell of a sweep.
struct EvaluateOptions {
    std::string layers = "all";                           //!< all | none | 0,4,8
    std::vector<std::string> capture = {"last", "mean"};  //!< of: last (pooled token), mean (over the response's tokens)
    std::int64_t capture_tokens = 0;                      //!< items whose every token is kept
    std::string activation_dtype = "bf16";                //!< fp32 | bf16 | fp16; the last layer is always fp32
    std::string pooling = "auto";                         //!< auto (as the model was trained) | last | hf | first_pad
    std::int64_t label = -1;                              //!< of a reward head with several, xlrm_evaluate alone; -1: it has one
    std::string head_dtype = "fp32";                      //!< fp32 | hf (rounded as transformers does in bf16)
    std::string exact = "auto";                           //!< auto (check, record) | yes (check, refuse) | no
    std::string dtype = "fp32";                           //!< compute dtype: fp32 | bf16
    std::int64_t token_budget = 4096;                     //!< physical tokens a batch
    at::Device device = at::kCPU;                         //!< registered by the program (describe_device)
    std::int64_t max_length = 2048;
    std::string over_length = "drop";
    std::string chat_template = "auto";
    std::string template_date;      //!< "" = as the model was trained, else kTemplateDate
    ImplicitOptions implicit = {};  //!< xlrm_evaluate alone
    RowFormOptions forms;           //!< registered by the program: a sweep has them in [data]
    std::string split, part;        //!< "train=0.6,test=0.4", "test"
};
void describe(Options& options, EvaluateOptions& evaluate);

//! Throws Error(usage) for values that make no sense or contradict each other, naming the option.
void check(const EvaluateOptions& evaluate);

//! Throws Error(usage) for an option of `section` that was given though it changes nothing with the others as they are.
void check_given(const Options& options, const std::string& section, const EvaluateOptions& evaluate);

//! What determines a cell's content, for its provenance.
Json content_of(const EvaluateOptions& evaluate);

//! Layers named by `text` for a model of `layers` blocks: 0 … layers. Throws Error(usage) for one outside, and for one named
//! twice.
std::vector<std::int64_t> parse_layers(const std::string& text, std::int64_t layers);

}  // namespace xlrm
