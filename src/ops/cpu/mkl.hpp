#pragma once

namespace xlrm {

//! Whether MKL's products, as libtorch calls them, give a row the same bits in any company: in its mode of strict
//! reproducibility, which it has for processors with AVX2 or AVX-512 that it knows as Intel's, and takes before its first call
//! alone. Asked for when the program starts.
bool mkl_adds_strictly();

//! While it lives, MKL calls of this thread plan for one thread. Told otherwise MKL divides the depth for two, even where only
//! one runs.
class OneMklThread {
public:
    OneMklThread();
    ~OneMklThread();
    OneMklThread(const OneMklThread&) = delete;
    OneMklThread& operator=(const OneMklThread&) = delete;

private:
    int before_;
};

}  // namespace xlrm
