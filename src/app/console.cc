#include "app/console.h"

#include <cstdio>
#include <cstdlib>

#include "io/process.h"

namespace adbrook::app {

Console::Console()
    : terminal_(io::is_terminal(io::StandardStream::error)),
      colour_(terminal_ && std::getenv("NO_COLOR") == nullptr),
      width_(io::terminal_width(io::StandardStream::error).value_or(80)) {}

void Console::print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) lost_ = true;
}

void Console::say(std::string_view text) { say_piece(std::string(text) + "\n"); }

void Console::say_piece(std::string_view text) {
  // Data and talk of one moment stay in order where both go to one place.
  if (std::fflush(stdout) != 0) lost_ = true;
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void Console::complain(std::string_view message) {
  say((colour_ ? "\x1b[31merror:\x1b[0m " : "error: ") + std::string(message));
}

ProgressOptions Console::progress_options() const {
  return {.terminal = terminal_, .width = width_};
}

bool Console::finish() {
  if (std::fflush(stdout) != 0) lost_ = true;
  return !lost_;
}

}  // namespace adbrook::app
