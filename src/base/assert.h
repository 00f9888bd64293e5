// A violated assumption ends the process, also in release: a wrong number must never be written.
#pragma once

namespace adbrook {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const char* why) noexcept;

}  // namespace adbrook

// `why` is a string literal that says which promise is broken.
#define ADBROOK_ASSERT(condition, why) \
  (static_cast<bool>(condition)        \
       ? static_cast<void>(0)          \
       : ::adbrook::assertion_failed(#condition, __FILE__, __LINE__, (why)))
