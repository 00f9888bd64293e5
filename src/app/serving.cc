#include "app/serving.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "app/command_tree.h"
#include "base/text.h"
#include "io/tcp.h"

namespace adbrook::app {
namespace {

constexpr Millis kStopCheck{5};
constexpr Millis kWatch{500};

// Errors before the first answer are the environment's, unless a setting is to blame.
int fail_start(Console& console, const Error& error) {
  console.complain(error.message);
  return error.kind == ErrorKind::invalid ? kExitUsage : kExitEnvironment;
}

void warn_about_public(const Settings& settings, Console& console) {
  std::vector<std::string> listening = settings.kafka.listen;
  listening.insert(listening.begin(), settings.http.listen);
  for (const std::string& where : listening) {
    const auto address = http::parse_host_port(where);
    if (address && !io::is_loopback(address->host))
      console.say("warning: everybody who reaches " + where +
                  " can read and write, without TLS and without credentials");
  }
}

std::string ready_line(Engine& engine, Nanos took) {
  std::array<char, 32> seconds;
  std::snprintf(seconds.data(), seconds.size(), "%.2f",
                std::chrono::duration<double>(took).count());
  std::string kafka;
  for (const std::string& address : engine.kafka_addresses())
    kafka += (kafka.empty() ? "kafka://" : ",") + address;
  return std::string("adbrook is ready in ") + seconds.data() + " s: " + engine.url() + ", " +
         kafka + ", data in " + printable(engine.settings().engine.data) + " (Ctrl-C stops)\n";
}

// Waits until the tasks have their state back. False when somebody asked to stop before, or a task
// is in trouble.
bool wait_until_restored(Engine& engine, Interrupt& interrupt) {
  while (!engine.tasks().restored() && engine.tasks().trouble().empty())
    if (interrupt.wait_for(kStopCheck)) return false;
  return engine.tasks().trouble().empty();
}

int stop(Engine& engine, Console& console, int code) {
  console.say("stopping");
  if (auto stopped = engine.stop(); !stopped) {
    console.complain(stopped.error().message);
    return kExitEnvironment;
  }
  return code;
}

}  // namespace

int serve_until_interrupted(Engine& engine, Interrupt& interrupt, Console& console) {
  while (!interrupt.wait_for(kWatch)) {
    const std::string trouble = engine.log().trouble();
    if (trouble.empty() || engine.log().disk_full()) continue;
    console.complain(trouble);
    return stop(engine, console, kExitEnvironment);
  }
  return stop(engine, console, kExitDone);
}

int serve(const LoadedSettings& loaded, Console& console, const StartServed& start,
          const ServedWork& work) {
  for (const std::string& note : loaded.notes) console.say("warning: " + note);
  warn_about_public(loaded.settings, console);
  io::RealClock clock;
  const Nanos started = clock.monotonic();
  // Signals are taken before anything that must be stopped in order is begun.
  io::ThreadExecutor signals(1);
  Interrupt interrupt(signals);
  auto served = start(loaded.settings, [&console](std::string_view note) { console.say(note); });
  if (!served) return fail_start(console, served.error());
  Engine& engine = (*served)->engine();
  if (!wait_until_restored(engine, interrupt)) {
    if (interrupt.requested()) return stop(engine, console, kExitInterrupted);
    console.complain(engine.tasks().trouble());
    return stop(engine, console, kExitEnvironment);
  }
  console.print(ready_line(engine, clock.monotonic() - started));
  if (!console.finish()) return stop(engine, console, kExitEnvironment);
  return work(engine, interrupt);
}

}  // namespace adbrook::app
