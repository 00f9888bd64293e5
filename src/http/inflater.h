// Inflates gzip request bodies piece by piece, and stops decompression bombs early.
// RFC 1952; several gzip members one after the other are one body.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace adbrook::http {

// A body may grow to this many times its compressed size; below kRatioFreeBytes it is not judged,
// since short repetitive bodies are honest.
inline constexpr std::size_t kInflateRatioMax = 200;
inline constexpr std::size_t kRatioFreeBytes = 1 << 20;

// Owned by one thread.
class Inflater {
 public:
  explicit Inflater(Bytes output_max);
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  // Appends what `piece` inflates to. invalid: not gzip or damaged; overloaded: the output would
  // pass the limit or the ratio. After an error it must not be used again.
  Result<void> inflate(std::string_view piece, std::string& output);
  // invalid when the last member is not whole.
  Result<void> finish() const;

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace adbrook::http
