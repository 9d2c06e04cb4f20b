// cp.async: copies to shared memory that land when they are waited for, not before.
#pragma once

#include "kernels/simt/types.h"

namespace tpp::simt {
void copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros, const void* pc);
void commit_async();
void wait_async(std::size_t groups_in_flight);
}  // namespace tpp::simt

inline namespace TPP_SIMT_VARIANT {

TPP_SIMT_QUIET void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes,
                                            std::size_t zeros = 0) {
  tpp::simt::copy_async(to, from, bytes, zeros, __builtin_return_address(0));
}
TPP_SIMT_INLINE void __pipeline_commit() { tpp::simt::commit_async(); }
TPP_SIMT_INLINE void __pipeline_wait_prior(std::size_t groups) { tpp::simt::wait_async(groups); }

}  // namespace TPP_SIMT_VARIANT
