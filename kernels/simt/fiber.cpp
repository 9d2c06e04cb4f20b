// The switch itself: six registers, two stack pointers, one jump.
#include "kernels/simt/fiber.h"

#include <cstdint>

#if TPP_SIMT_OWN_SWITCH

// `ret` would be predicted to return to another fiber's caller: pop and jump.
asm(R"(
.text
.globl tpp_simt_switch
.type tpp_simt_switch, @function
tpp_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
.globl tpp_simt_resume
.type tpp_simt_resume, @function
tpp_simt_resume:
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmp *%rcx
.size tpp_simt_switch, .-tpp_simt_switch
)");

namespace tpp::simt {

void* make_context(void* stack, std::size_t bytes, void (*entry)()) {
  // An entered function finds its stack 8 bytes off a multiple of 16.
  auto* top = reinterpret_cast<std::uint64_t*>(static_cast<char*>(stack) + bytes);
  *--top = 0;  // the return address that nobody uses
  *--top = reinterpret_cast<std::uint64_t>(entry);
  for (int i = 0; i < 6; ++i) *--top = 0;
  return top;
}

}  // namespace tpp::simt

#else

#include <ucontext.h>

namespace tpp::simt {

// The context lives at the stack's top, or on the scheduler's stack while the scheduler waits.
void* make_context(void* stack, std::size_t bytes, void (*entry)()) {
  const std::size_t room = (sizeof(ucontext_t) + 63) / 64 * 64;
  auto* context = reinterpret_cast<ucontext_t*>(static_cast<char*>(stack) + bytes - room);
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = bytes - room;
  context->uc_link = nullptr;
  makecontext(context, entry, 0);
  return context;
}

void switch_context(void** from, void* to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}

}  // namespace tpp::simt

#endif
