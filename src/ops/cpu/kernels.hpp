#pragma once

#include <cstdint>

//! Kernels over raw rows. They include neither ATen nor anything with inline functions that could be shared, because the same
//! sources are compiled once for each instruction set; the caller divides rows among threads and owns all memory.
namespace xlrm::cpu {

//! bfloat16 as storage only.
struct Bf16 {
    std::uint16_t bits;
};

//! Type of sums and of what is kept beside a tensor of T.
template <class T>
struct AccumulateOf {
    using type = float;
};
template <>
struct AccumulateOf<double> {
    using type = double;
};
template <class T>
using Accumulate = typename AccumulateOf<T>::type;

//! Rows of a [T, H, D] view whose last dimension is contiguous; row r is token r / heads, head r % heads. Strides in elements.
template <class T>
struct Rows {
    T* data = nullptr;
    std::int64_t heads = 1;
    std::int64_t token_stride = 0;
    std::int64_t head_stride = 0;
};

template <class T>
struct NormArgs {
    Rows<const T> x;            //!< with `delta`, contiguous
    const T* delta = nullptr;   //!< [rows, d]: what is normalised is x + delta,
    T* sum = nullptr;           //!< [rows, d], which is stored here; may be x
    const T* weight = nullptr;  //!< [d]
    T* y = nullptr;             //!< [rows, d]
    Accumulate<T>* rstd = nullptr;
    std::int64_t d = 0;
    double eps = 0.0;
    bool one_plus = false;
};

template <class T>
struct NormBackwardArgs {
    Rows<const T> dy, x;
    Rows<T> dx;  //!< added to
    const T* weight = nullptr;
    const Accumulate<T>* rstd = nullptr;
    std::int64_t d = 0;
    bool one_plus = false;
};

template <class T>
struct RopeArgs {
    Rows<T> x;
    const std::int32_t* positions = nullptr;
    const Accumulate<T>* cosine = nullptr;  //!< [positions, half]
    const Accumulate<T>* sine = nullptr;
    std::int64_t half = 0;
    bool inverse = false;
};

template <class T>
struct GateArgs {
    const T* gate_up = nullptr;  //!< [rows, 2·width]
    const T* dy = nullptr;       //!< backward only
    T* out = nullptr;            //!< y [rows, width], or d(gate_up) [rows, 2·width]
    std::int64_t width = 0;
    bool gelu = false;
};

template <class T>
struct SoftmaxLossArgs {
    Accumulate<T>* logits = nullptr;  //!< [rows, classes]; replaced by scale_i · (softmax - onehot) when scale is set
    std::int64_t classes = 0;
    const std::int32_t* targets = nullptr;  //!< negative = not counted: log-probability 0, gradient row 0
    const Accumulate<T>* scale = nullptr;   //!< per row, or null: no gradient
    Accumulate<T>* log_probs = nullptr;
};

//! One AdamW pass; factors are prepared by the caller.
struct AdamwArgs {
    float *weight, *first, *second;
    float* gradient;             //!< set to zero
    std::uint16_t* weight_bf16;  //!< or null
    float first_share;           //!< 1 - beta1
    float beta2;
    float second_share;  //!< 1 - beta2
    float eps, grad_scale;
    float decay;        //!< 1 - lr · weight_decay
    float step_size;    //!< lr / (1 - beta1^step)
    float second_root;  //!< sqrt(1 - beta2^step)
};

//! Queries against keys, for one key/value head and the `group` query heads that share it.
template <class T>
struct AttentionArgs {
    const T *q, *k, *v;                                              //!< row 0; rows of head h at + h · head_stride
    std::int64_t q_token, q_head, k_token, k_head, v_token, v_head;  //!< strides in elements
    T* out;                                                          //!< [N, H, D] contiguous
    Accumulate<T>* lse;                                              //!< [N, H] or null
    std::int64_t heads, kv_heads, head_dim;
    double scale, soft_cap;
    std::int64_t window;
};

template <class T>
struct AttentionBackwardArgs {
    AttentionArgs<T> forward;  //!< out and lse are read
    const T* dout;             //!< [N, H, D] contiguous
    T *dq, *dk, *dv;
    std::int64_t dq_token, dq_head, dk_token, dk_head, dv_token, dv_head;
};

//! Rows [begin, begin + length) of k and v.
struct KeyRows {
    std::int64_t begin, length;
};

//! A row of q, and its position in its segment's list of keys: it sees the keys [0, position], or the last ones of them.
struct QueryRow {
    std::int64_t row, position;
};

//! A list of keys, and the queries that see it in the order of their positions. The list is `range_count` ranges of rows, one
//! behind the other, or (with `pages`) keys of a cache: key i lies in pages[i / kPageKeys].
struct AttentionSegment {
    const KeyRows* ranges;
    std::int64_t range_count;
    const char* const* pages;  //!< or null
    std::int64_t keys;         //!< of the list
    const QueryRow* queries;
    std::int64_t query_count;
};

//! Keys of a page of a cache. A page holds the parts of all key/value heads one behind the other; each has keys and values in
//! the form that the kernel reads, with zeros where there is no key yet.
inline constexpr std::int64_t kPageKeys = 64;

//! Rows of one key/value head that become keys [first, first + count) of a page.
template <class T>
struct PageRows {
    char* part;  //!< the head's part of the page, aligned to 64
    std::int64_t first, count;
    const T *k, *v;
    std::int64_t k_token, v_token;  //!< strides in elements
    std::int64_t head_dim;
};

//! y [rows, n] = x [rows, k] · w (+ bias [n]) for any sizes. Strides in elements, last dimensions contiguous. An element is one
//! sum (fp32 for bf16) over k in order, plus the bias, rounded once: its bits depend on its row of x and its column of w alone.
template <class T>
struct Product {
    const T* x;
    std::int64_t x_stride;
    const T* w;
    std::int64_t w_stride;
    bool w_transposed;  //!< w is stored as [n, k], else as [k, n]
    const T* bias;      //!< or null
    T* y;
    std::int64_t y_stride;
    std::int64_t rows, k, n;
};

//! dweight [n, k] += dy^T · x for the columns [n_begin, n_end) of dy [tokens, n]; x is [tokens, k]. Strides in elements, last
//! dimensions contiguous; n_begin, n_end and k are multiples of 32. An element is summed over the tokens in order.
template <class T>
struct WeightGradient {
    const T* dy;
    std::int64_t dy_stride;
    const T* x;
    std::int64_t x_stride;
    std::int64_t tokens, k;
    Accumulate<T>* dweight;
    std::int64_t dweight_stride;
};

//! Products with one weight that is packed once, in panels of `panel` columns (the last one with zeros behind its columns) that
//! the products read from end to end. The sums are those of Product, to the bit (of the library's where that makes the others:
//! pack_weight sees to it).
template <class T>
struct PackedProducts {
    std::int64_t panel;
    std::int64_t (*panel_size)(std::int64_t k);  //!< elements of a panel as it is packed
    //! Packs the panels [begin, end) of args.w, stored as [n, k]; `packed` [panels, panel_size], 64-byte aligned.
    void (*pack)(const Product<T>& args, std::int64_t begin, std::int64_t end, Accumulate<T>* packed);
    std::int64_t (*scratch)(std::int64_t k);
    //! The columns of the panels [begin, end) of args.y; args.w is not read.
    void (*product)(const Product<T>& args, const Accumulate<T>* packed, std::int64_t begin, std::int64_t end, char* scratch);
};

//! All of them, with their scratch in bytes, aligned to 64.
template <class T>
struct Products {
    std::int64_t (*scratch)(std::int64_t k);
    void (*product)(const Product<T>&, char* scratch);
    std::int64_t (*gradient_scratch)();
    void (*weight_gradient)(const WeightGradient<T>&, std::int64_t n_begin, std::int64_t n_end, char* scratch);
    PackedProducts<T> packed;  //!< `product` null: there are none
};

template <class T>
struct Kernels {
    void (*norm)(const NormArgs<T>&, std::int64_t begin, std::int64_t end);
    //! dweight [d] is set to the sum over the rows.
    void (*norm_backward)(const NormBackwardArgs<T>&, std::int64_t begin, std::int64_t end, Accumulate<T>* dweight);
    void (*rope)(const RopeArgs<T>&, std::int64_t begin, std::int64_t end);  //!< rows are tokens
    void (*gate)(const GateArgs<T>&, std::int64_t begin, std::int64_t end);
    void (*gate_backward)(const GateArgs<T>&, std::int64_t begin, std::int64_t end);
    void (*softmax_loss)(const SoftmaxLossArgs<T>&, std::int64_t begin, std::int64_t end);
    //! x = cap · tanh(x / cap) in place; `slope`, unless null, receives the derivative.
    void (*soft_cap)(Accumulate<T>* x, Accumulate<T>* slope, Accumulate<T> cap, std::int64_t n);
    Accumulate<T> (*dot)(const T* x, const Accumulate<T>* w, std::int64_t n);
    void (*scale)(const T* x, T* y, Accumulate<T> factor, std::int64_t n);               //!< y = x · factor
    void (*axpy)(const T* x, Accumulate<T>* y, Accumulate<T> factor, std::int64_t n);    //!< y += x · factor
    void (*add)(const T* x, T* y, std::int64_t n);                                       //!< y += x
    void (*narrow)(const Accumulate<T>* x, T* y, Accumulate<T> factor, std::int64_t n);  //!< y = x · factor

    //! Elements of Accumulate<T> of scratch, 64-byte aligned, that a call needs for lists of at most `keys` keys, of at most
    //! `packed` where they are no cache's.
    std::int64_t (*attention_scratch)(const AttentionArgs<T>&, std::int64_t keys, std::int64_t packed);
    //! All queries of one segment and all query heads of `kv_head`.
    void (*attention)(const AttentionArgs<T>&, const AttentionSegment&, std::int64_t kv_head, Accumulate<T>* scratch);
    std::int64_t (*attention_backward_scratch)(const AttentionBackwardArgs<T>&, std::int64_t keys);
    //! The gradients of `count` segments for one kv head: the first has one range, which the others, of two, begin with. So all
    //! of dk and dv that they touch is summed here, in order.
    void (*attention_backward)(const AttentionBackwardArgs<T>&, const AttentionSegment*, std::int64_t count, std::int64_t kv_head,
                               Accumulate<T>* scratch);
    //! Bytes of one head's part of a page, a multiple of 64.
    std::int64_t (*page_bytes)(std::int64_t head_dim);
    void (*put_keys)(const PageRows<T>&);
    Products<T> products;
};

struct FlatKernels {
    void (*adamw)(const AdamwArgs&, std::int64_t begin, std::int64_t end);
    double (*sum_of_squares)(const float* x, std::int64_t n);
};

//! The table for this processor: AVX-512 where it has it, else what the project was compiled for.
template <class T>
const Kernels<T>& kernels();
const FlatKernels& flat_kernels();
//! Our own products of this type where they are faster than the libraries', or give bits that do not depend on the number of rows
//! where those do not; else null.
template <class T>
const Products<T>* own_products();
//! Products with packed weights of this type, or null.
template <class T>
const PackedProducts<T>* packed_products();

}  // namespace xlrm::cpu
