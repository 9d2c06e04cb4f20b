// Fibers: a stack and a place in it. Ten nanoseconds a switch on x86-64, ucontext elsewhere.
#pragma once

#include <cstddef>

#if defined(__x86_64__) && !defined(TPP_SIMT_UCONTEXT)
#define TPP_SIMT_OWN_SWITCH 1
#else
#define TPP_SIMT_OWN_SWITCH 0
#endif

namespace tpp::simt {

/// A fiber that will begin with `entry` on this stack. `entry` must not return.
void* make_context(void* stack, std::size_t bytes, void (*entry)());

/// Keep this fiber's place in *from and go on at `to`.
void switch_context(void** from, void* to);

}  // namespace tpp::simt

#if TPP_SIMT_OWN_SWITCH
extern "C" void tpp_simt_switch(void** from, void* to);
extern "C" void tpp_simt_resume(void* ignored,
                                void* to);  // the second half: a signal handler jumps here
inline void tpp::simt::switch_context(void** from, void* to) { tpp_simt_switch(from, to); }
#endif
