#include "xlrm/stats/estimate.hpp"

#include <cassert>
#include <cmath>

#include "xlrm/core/error.hpp"

namespace xlrm {

std::string name_of(Undefined why) {
    switch (why) {
        case Undefined::no_items:
            return "no_items";
        case Undefined::too_few_items:
            return "too_few_items";
        case Undefined::too_many_items:
            return "too_many_items";
        case Undefined::one_cluster:
            return "one_cluster";
        case Undefined::several_seeds:
            return "several_seeds";
        case Undefined::one_seed:
            return "one_seed";
        case Undefined::one_language:
            return "one_language";
        case Undefined::one_model:
            return "one_model";
        case Undefined::missing_cell:
            return "missing_cell";
        case Undefined::no_discordant_items:
            return "no_discordant_items";
        case Undefined::no_variation:
            return "no_variation";
        case Undefined::at_chance:
            return "at_chance";
        case Undefined::not_identified:
            return "not_identified";
        case Undefined::not_positive:
            return "not_positive";
        case Undefined::fewer_items_than_features:
            return "fewer_items_than_features";
        case Undefined::separable:
            return "separable";
        case Undefined::no_signal:
            return "no_signal";
        case Undefined::no_rule:
            return "no_rule";
        case Undefined::not_comparable:
            return "not_comparable";
        case Undefined::no_head:
            return "no_head";
        case Undefined::not_estimated:
            return "not_estimated";
    }
    assert(false);
    return {};
}

Estimate::Estimate(double value) : value_(value) {
    require(std::isfinite(value), "a statistic came out as NaN or infinite (it should have had a reason for being undefined)");
}

double Estimate::value() const {
    if (!defined_) fail("a statistic without a value was read (" + name_of(why_) + ")");
    return value_;
}

}  // namespace xlrm
