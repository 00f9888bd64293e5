// What `generate`, `import` and `demo` share: sending with progress, waiting until the engine has
// committed everything, and the totals at the end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/command_tree.h"
#include "app/console.h"
#include "app/sender.h"

namespace adbrook::app {

// Owned by one thread.
class Delivery {
 public:
  struct Parts {
    io::ThreadExecutor& executor;
    Interrupt& interrupt;
    Console& console;
  };
  // `total` is what progress counts up to. All parts outlive it. invalid: a flag that cannot be.
  static Result<std::unique_ptr<Delivery>> start(const SendArguments& arguments, Parts parts,
                                                 std::optional<std::uint64_t> total);

  // Sends it, or prints it where --to is "-".
  Result<void> add(const OutgoingEvent& event);
  // Sends what is collected.
  Result<void> flush();
  // Sends what is collected and waits until the engine has committed everything.
  Result<void> settle();
  // Whether events go to an engine, and not to stdout.
  bool sends() const { return sender_.has_value(); }
  // Remembers where the engine's watermarks stand, so that finish() can say why events were late.
  Result<void> note_watermarks();
  // Waits, for live traffic, and sends what is collected first when that takes long.
  Result<void> pause_until(Timestamp moment);
  bool interrupted() const { return interrupt_.requested(); }

  // Sends the rest, waits until all of it is committed, and says the totals. Gives the exit code.
  int finish();
  // Says why it ends early; gives the exit code.
  int give_up(const Error& error);

  SendTotals totals() const { return sender_ ? sender_->totals() : SendTotals{}; }
  io::Clock& clock() { return clock_; }

 private:
  Delivery(const SendArguments& arguments, Parts parts, std::optional<std::uint64_t> total);
  Result<void> wait_until_committed();
  // The engine's answer; asks again while nobody answers, as long as for an acknowledgement.
  Result<std::string> ask_patiently(const std::string& target);
  void say_totals();
  void say_outcomes();

  SendArguments arguments_;
  Console& console_;
  Interrupt& interrupt_;
  io::RealClock clock_;
  std::optional<ServerConnection> server_;  // none when events are printed
  std::optional<Sender> sender_;
  Progress progress_;
  Millis retry_for_{0};
  std::string outcomes_before_;  // the engine's answer to note_watermarks(), if it was called
  std::string outcomes_after_;   // of the last look
};

}  // namespace adbrook::app
