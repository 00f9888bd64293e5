// `serve` and `demo`: the engine until somebody stops it.
#include "app/commands.h"
#include "app/service.h"
#include "app/serving.h"
#include "app/traffic.h"

namespace adbrook::app {
namespace {

constexpr double kDemoRate = 200;

// Generated traffic over our own HTTP, until interrupted.
Result<void> send_live(const Arguments& arguments, Engine& engine, Interrupt& interrupt,
                       Console& console) {
  GenerateArguments traffic = arguments.generate;
  if (traffic.rate <= 0) traffic.rate = kDemoRate;
  SendArguments send = arguments.send;
  send.to = engine.url();
  const auto options = generator_options(traffic, engine.clock());
  if (!options) return pass(options.error());
  auto generator = ads::Generator::make(*options, nullptr);
  if (!generator) return pass(std::move(generator.error()));
  io::ThreadExecutor executor(1);
  auto delivery = Delivery::start(send, {executor, interrupt, console}, std::nullopt);
  if (!delivery) return pass(std::move(delivery.error()));
  return send_generated(*generator, **delivery, true);
}

int serve_clicks(const SettingsArguments& arguments, Console& console, const ServedWork& work) {
  const auto loaded = load_settings(arguments);
  if (!loaded) {
    console.complain(loaded.error().message);
    return kExitUsage;
  }
  return serve(*loaded, console, Service::start, work);
}

}  // namespace

int run_serve(const Arguments& arguments, Console& console) {
  return serve_clicks(arguments.settings, console, [&](Engine& engine, Interrupt& interrupt) {
    return serve_until_interrupted(engine, interrupt, console);
  });
}

int run_demo(const Arguments& arguments, Console& console) {
  return serve_clicks(arguments.settings, console, [&](Engine& engine, Interrupt& interrupt) {
    if (auto sent = send_live(arguments, engine, interrupt, console);
        !sent && !interrupt.requested())
      console.complain(sent.error().message);
    return serve_until_interrupted(engine, interrupt, console);
  });
}

}  // namespace adbrook::app
