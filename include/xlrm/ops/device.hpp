#pragma once

#include <c10/core/Device.h>

#include <string>

#include "xlrm/core/options.hpp"

namespace xlrm {

//! Adds `--device` to the current section, for every program that computes, and a check of the environment that says how it does
//! (require_known_environment). `device`, which must stay where it is, receives what is chosen; auto is the CPU.
void describe_device(Options& options, at::Device* device);

//! "auto", "cpu", "cuda", "cuda:1". Throws Error(usage) for a device that this build cannot use, and for another word.
at::Device parse_device(const std::string& text);

//! Throws Error(usage) unless XLRM_OPS (own, reference) and XLRM_CPU (avx2, avx512, amx) are unset, empty or known.
void require_known_environment();

//! What a result's run file says of where it was computed: {"device": "cpu"}, with {"ops": "reference"} where XLRM_OPS says so.
Json device_facts(at::Device device);

}  // namespace xlrm
