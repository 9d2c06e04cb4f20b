// Device memory: buffers with red zones in one arena, and in checked builds the history of every word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/simt/types.h"

namespace tpp::simt {

/// One access that a word remembers.
struct Past {
  std::uint32_t block, phase, clock;
  std::uint16_t thread;
  std::uint8_t mask;  // which of the word's four bytes; 0: nothing remembered
  Access access;
  const void* pc;
};

/// Four bytes of memory.
struct Cell {
  std::uint32_t epoch;   // launch (global memory) or block (shared memory) of what follows
  std::uint8_t written;  // bytes that somebody has written, ever (global) or in this block (shared)
  Past writer, readers[2];
};

struct Buffer {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  bool live = true;
  std::string name;
  Cell* cells = nullptr;
};

bool in_device_arena(std::uintptr_t address);
/// The buffer that holds this address in itself or its red zones, dead ones too; nullptr if there is none.
Buffer* find_buffer(std::uintptr_t address);

}  // namespace tpp::simt
