// Where randomness comes from: the kernel in production, a seed in tests.
#pragma once

#include <cstdint>
#include <span>

namespace adbrook::io {

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
  void fill(std::span<std::byte> out);
};

// getrandom(2) directly; std::random_device is broken on some current CPUs. Thread-safe.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

// splitmix64: the same seed gives the same numbers on every machine. Owned by one thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace adbrook::io
