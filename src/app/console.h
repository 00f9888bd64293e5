// Where a command prints: data to stdout, talk to stderr, and what kind of screen that is.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "app/progress.h"

namespace adbrook::app {

// Owned by one thread; say() may be called from any.
class Console {
 public:
  Console();

  // Data. An error of the stream (a closed pipe, a full disk) is kept for finish().
  void print(std::string_view text);
  // Talk; ends the line.
  void say(std::string_view text);
  // Talk as it is, for progress lines.
  void say_piece(std::string_view text);
  // "error: <message>", red on a terminal unless NO_COLOR is set.
  void complain(std::string_view message);

  ProgressOptions progress_options() const;
  bool is_terminal() const { return terminal_; }

  // Flushes; false when something that was printed is lost.
  bool finish();

 private:
  bool terminal_;
  bool colour_;
  int width_;
  std::atomic<bool> lost_ = false;
};

}  // namespace adbrook::app
