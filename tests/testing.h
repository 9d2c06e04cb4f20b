// The one test framework: Catch2, version 2 or 3, seen through one header.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace tpp::testing {
using Catch::Approx;
}
#else
#include <catch2/catch.hpp>
namespace tpp::testing {
using Catch::Detail::Approx;
}
#endif

// Leave a test case that cannot run here (no display, no network). Version 2 cannot say "skipped":
// it passes with a warning.
#ifndef SKIP
// clang-format off
#define SKIP(...) do { WARN("skipped: " << __VA_ARGS__); return; } while (false)
// clang-format on
#endif

// A build with a sanitizer: ten times slower, its own heap, and nothing can be loaded that was not built alike.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TPP_SANITIZED 1
#else
#define TPP_SANITIZED 0
#endif
