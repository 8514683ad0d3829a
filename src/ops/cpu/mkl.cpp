#include "ops/cpu/mkl.hpp"

//! MKL's functions as libtorch exports them (the lower-case names are Fortran's); null where it was built with another BLAS.
//! The first two are what mkl_cbwr_set and mkl_cbwr_get_auto_branch call.
extern "C" int mkl_serv_cbwr_set(int setting) __attribute__((weak));
extern "C" int mkl_serv_cbwr_get_auto_branch() __attribute__((weak));
extern "C" int MKL_Set_Num_Threads_Local(int threads) __attribute__((weak));

namespace xlrm {
namespace {

bool ask_for_strict_sums() {
    constexpr int kAvx2 = 10, kStrict = 0x10000;
    if (mkl_serv_cbwr_set == nullptr || mkl_serv_cbwr_get_auto_branch == nullptr) return false;
    const int branch = mkl_serv_cbwr_get_auto_branch();
    return branch >= kAvx2 && mkl_serv_cbwr_set(branch | kStrict) == 0;
}
const bool strict_sums = ask_for_strict_sums();

}  // namespace

bool mkl_adds_strictly() { return strict_sums; }

OneMklThread::OneMklThread() : before_(MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(1) : 0) {}
OneMklThread::~OneMklThread() {
    if (MKL_Set_Num_Threads_Local != nullptr) MKL_Set_Num_Threads_Local(before_);
}

}  // namespace xlrm
