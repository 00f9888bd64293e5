// How far long work has come: a line that redraws itself on a terminal, else a plain line every
// five seconds. It goes to stderr; with rate and, when the total is known, the time left.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/clock.h"

namespace adbrook::app {

struct ProgressOptions {
  bool terminal = false;
  int width = 80;  // columns of the terminal
  Millis redraw{100};
  Millis plain_line{5'000};
};

// Owned by one thread.
class Progress {
 public:
  // `what` stands in front ("sending"), `unit` behind the numbers ("events"). `write` takes text
  // for stderr. The clock outlives it.
  Progress(io::Clock& clock, std::string what, std::string unit, std::optional<std::uint64_t> total,
           std::function<void(std::string_view)> write, ProgressOptions options);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap; draws only when it is time. `note` is shown behind the rest.
  void update(std::uint64_t done, std::string_view note = {});
  // The last line stays: what was done, in what time, how fast. Drawn once; later updates are void.
  void finish();

 private:
  std::string line(Nanos now) const;

  io::Clock& clock_;
  std::string what_;
  std::string unit_;
  std::optional<std::uint64_t> total_;
  std::function<void(std::string_view)> write_;
  ProgressOptions options_;
  Nanos started_;
  Nanos drawn_;
  std::uint64_t done_ = 0;
  std::string note_;
  bool drawn_once_ = false;
  bool finished_ = false;
};

// "1:05", "2:03:04": minutes and seconds as a clock shows them.
std::string format_elapsed(Nanos elapsed);

}  // namespace adbrook::app
