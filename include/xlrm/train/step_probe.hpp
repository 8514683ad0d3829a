#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "xlrm/comm/communicator.hpp"
#include "xlrm/model/config.hpp"
#include "xlrm/store/items.hpp"
#include "xlrm/train/options.hpp"

namespace xlrm {

//! The trainer's own steps (Bradley-Terry) on pairs in memory, for measurements: nothing is written. With a profile switched on
//! the parts of a step are its stages plan, pack, forward, backward, reduction and optimiser.
class StepProbe {
public:
    //! Collective. Begins from the folder `options.model`, or from random weights of `config` where it names none. `group` and
    //! `pairs` must outlive the probe. Throws Error for tokens that the model does not have.
    StepProbe(const Communicator& group, const TrainOptions& options, const ModelConfig& config, const ItemSet& pairs);
    ~StepProbe();
    StepProbe(const StepProbe&) = delete;
    StepProbe& operator=(const StepProbe&) = delete;

    struct Step {
        std::vector<std::int64_t> items;  //!< of all ranks
        double loss = 0.0;                //!< mean over them
        double tokens = 0.0;              //!< logical, of all ranks
        double physical = 0.0;            //!< computed, of all ranks
        double seconds = 0.0;             //!< the slowest rank's
    };
    //! Collective. The next step in the trainer's order of examples.
    Step step();
    std::int64_t steps_per_epoch() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace xlrm
