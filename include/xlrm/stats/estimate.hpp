#pragma once

#include <string>

namespace xlrm {

//! Why a statistic has no value. The names (name_of) are codes in tables and JSON.
enum class Undefined {
    no_items,                   //!< nothing was observed
    too_few_items,              //!< fewer than the estimator needs (four, for an unbiased HSIC)
    too_many_items,             //!< more than an estimate of this cost is made for
    one_cluster,                //!< a single cluster shows no variation between clusters
    several_seeds,              //!< a test of one pair of models: see the rows of each seed
    one_seed,                   //!< a single seed shows no variation between seeds
    one_language,               //!< a comparison of languages needs two
    one_model,                  //!< a comparison of models needs two
    missing_cell,               //!< a cell that it compares is missing
    no_discordant_items,        //!< both models are right and wrong on the same items
    no_variation,               //!< a value that it divides by is zero, since all observations are equal
    at_chance,                  //!< the reference is not above chance, so that no share of its gain can be told
    not_identified,             //!< the observations do not determine the parameter
    not_positive,               //!< an estimate of a positive quantity is not positive
    fewer_items_than_features,  //!< canonical correlations are then 1 whatever the data are
    separable,                  //!< every margin is positive: the best scale is infinite
    no_signal,                  //!< the mean margin is not positive: no scale is better than an infinite temperature
    no_rule,                    //!< the benchmark's rule is no mean over items, so resampling has no rule for it
    not_comparable,             //!< the models have no features in common
    no_head,                    //!< a base model has no reward head
    not_estimated,              //!< the estimator has no interval or null here
};
//! "too_few_items" …
std::string name_of(Undefined why);

//! A statistic: a finite value, or the reason why it has none. There is no NaN.
class Estimate {
public:
    //! Throws Error unless finite.
    Estimate(double value);
    Estimate(Undefined why) : defined_(false), why_(why) {}
    bool defined() const { return defined_; }
    //! Throws Error where there is none.
    double value() const;
    double value_or(double other) const { return defined_ ? value_ : other; }
    //! REQUIRES: !defined().
    Undefined why() const { return why_; }

private:
    bool defined_ = true;
    double value_ = 0.0;
    Undefined why_ = Undefined::no_items;
};

//! A statistic with its standard error and interval; each may lack for itself.
struct EstimateWithInterval {
    Estimate value = Undefined::no_items;
    Estimate standard_error = Undefined::no_items;
    Estimate low = Undefined::no_items;
    Estimate high = Undefined::no_items;
};
inline EstimateWithInterval all_undefined(Undefined why) { return {why, why, why, why}; }

}  // namespace xlrm
