// `serve` and `demo`: the engine until somebody stops it.
#include <cstdio>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/service.h"
#include "app/traffic.h"
#include "base/text.h"
#include "io/tcp.h"

namespace adbrook::app {
namespace {

constexpr Millis kLook{5};
constexpr Millis kWatch{500};
constexpr double kDemoRate = 200;

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
    if (interrupt.wait_for(kLook)) return false;
  return engine.tasks().trouble().empty();
}

int stop(Service& service, Console& console, int code) {
  console.say("stopping");
  if (auto stopped = service.stop(); !stopped) {
    console.complain(stopped.error().message);
    return kExitEnvironment;
  }
  return code;
}

// Runs until interrupted, or until the log is down: after a failed write or sync only a new start
// can tell what is on the disk.
int watch(Service& service, Interrupt& interrupt, Console& console) {
  while (!interrupt.wait_for(kWatch)) {
    const std::string trouble = service.engine().log().trouble();
    if (trouble.empty() || service.engine().log().disk_full()) continue;
    console.complain(trouble);
    return stop(service, console, kExitEnvironment);
  }
  return stop(service, console, kExitDone);
}

// Generated traffic over our own HTTP, until interrupted.
Result<void> send_live(const Arguments& arguments, Service& service, Interrupt& interrupt,
                       Console& console) {
  GenerateArguments traffic = arguments.generate;
  if (traffic.rate <= 0) traffic.rate = kDemoRate;
  SendArguments send = arguments.send;
  send.to = service.engine().url();
  const auto options = generator_options(traffic, service.engine().clock());
  if (!options) return pass(options.error());
  auto generator = ads::Generator::make(*options, nullptr);
  if (!generator) return pass(std::move(generator.error()));
  io::ThreadExecutor executor(1);
  auto delivery = Delivery::start(send, {executor, interrupt, console}, std::nullopt);
  if (!delivery) return pass(std::move(delivery.error()));
  return send_generated(*generator, **delivery, true);
}

using Work = std::function<int(Service&, Interrupt&)>;

int run_with_service(const SettingsArguments& arguments, Console& console, const Work& work) {
  const auto loaded = load_settings(arguments);
  if (!loaded) {
    console.complain(loaded.error().message);
    return kExitUsage;
  }
  warn_about_public(loaded->settings, console);
  io::RealClock clock;
  const Nanos started = clock.monotonic();
  // Signals are taken before anything that must be stopped in order is begun.
  io::ThreadExecutor signals(1);
  Interrupt interrupt(signals);
  auto service =
      Service::start(loaded->settings, [&console](std::string_view note) { console.say(note); });
  if (!service) return fail_start(console, service.error());
  Engine& engine = (*service)->engine();
  if (!wait_until_restored(engine, interrupt)) {
    if (interrupt.requested()) return stop(**service, console, kExitInterrupted);
    console.complain(engine.tasks().trouble());
    return stop(**service, console, kExitEnvironment);
  }
  console.print(ready_line(engine, clock.monotonic() - started));
  if (!console.finish()) return stop(**service, console, kExitEnvironment);
  return work(**service, interrupt);
}

}  // namespace

int run_serve(const Arguments& arguments, Console& console) {
  return run_with_service(arguments.settings, console, [&](Service& service, Interrupt& interrupt) {
    return watch(service, interrupt, console);
  });
}

int run_demo(const Arguments& arguments, Console& console) {
  return run_with_service(arguments.settings, console, [&](Service& service, Interrupt& interrupt) {
    if (auto sent = send_live(arguments, service, interrupt, console);
        !sent && !interrupt.requested())
      console.complain(sent.error().message);
    return watch(service, interrupt, console);
  });
}

}  // namespace adbrook::app
