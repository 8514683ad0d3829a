#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace xlrm::matrix {

//! Throws Error unless `x` is a (rows, columns) fp64 matrix on the CPU.
void require_matrix(const at::Tensor& x, const std::string& what);
//! The same of both, with equal row counts.
void require_rows(const at::Tensor& x, const at::Tensor& y, const std::string& what);

//! Sum of all entries: of each row first, then of the rows in order, so that no thread count changes a bit (a full reduction is
//! divided among threads).
double total(const at::Tensor& x);
//! Σ x_ij y_ij in that order.
double dot(const at::Tensor& x, const at::Tensor& y);
//! Entries of a one-dimensional tensor.
std::vector<double> values(const at::Tensor& x);
//! A (size) fp64 tensor.
at::Tensor vector(std::span<const double> values);

//! Column-centred.
at::Tensor centred(const at::Tensor& x);
//! Euclidean norms of the rows (n).
at::Tensor row_norms(const at::Tensor& x);
//! Rows at unit length; zero rows stay zero.
at::Tensor unit_rows(const at::Tensor& x);
//! Squared Euclidean distances of the rows (n, n), zero diagonal, none below 0.
at::Tensor squared_distances(const at::Tensor& x);
//! Singular values, descending.
std::vector<double> singular_values(const at::Tensor& x);
//! Rows with the same products among one another, X X', in no more columns than rows: X itself, or R' from the QR of X'. What is
//! invariant to rotation is the same of both.
at::Tensor narrowed(const at::Tensor& x);

//! The `k` largest of `values` with their places, largest first; of equal ones the lower place comes first. `skip`: a place that
//! is left out; −1: none. `best`: memory for the result.
void find_largest(std::span<const double> values, std::int64_t k, std::int64_t skip,
                  std::vector<std::pair<double, std::int64_t>>& best);

}  // namespace xlrm::matrix
