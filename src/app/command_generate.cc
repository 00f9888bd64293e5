// `generate`: synthetic events with a known truth, as a batch or as live traffic.
#include <algorithm>
#include <array>

#include "ads/truth_file.h"
#include "app/commands.h"
#include "app/interrupt.h"
#include "app/traffic.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

// What was refused in an answer was never received: the engine cannot have counted it. False when
// more was refused than the generator made malformed.
bool take_off_refused(ads::Truth& truth, const std::string& topic, std::uint64_t refused) {
  for (auto& [key, count] : truth.outcomes()) {
    if (key.topic != topic || key.outcome != "rejected") continue;
    const auto taken = std::min(count, refused);
    count -= taken;
    refused -= taken;
  }
  return refused == 0;
}

int write_truth(ads::Truth& truth, const SendTotals& totals, const std::string& path,
                Console& console) {
  const std::array<std::pair<std::string, Lane>, 2> topics = {
      {{"impressions", Lane::impressions}, {"clicks", Lane::clicks}}};
  for (const auto& [topic, lane] : topics) {
    const LaneTotals& sent = totals[static_cast<std::size_t>(lane)];
    truth.sent_again()[topic] = sent.sent_again;
    if (take_off_refused(truth, topic, sent.refused)) continue;
    console.complain("the engine refused more " + topic +
                     " than were malformed; the last refusal above is one of them");
    return kExitNo;
  }
  io::RealFileSystem files;
  if (auto written = ads::write_truth(files, path, truth); !written)
    return fail_command(console, written.error());
  console.say("the truth is in " + path);
  return kExitDone;
}

}  // namespace

int run_generate(const Arguments& arguments, Console& console) {
  const GenerateArguments& a = arguments.generate;
  io::RealClock clock;
  const auto options = generator_options(a, clock);
  if (!options) return fail_command(console, options.error());
  ads::Truth truth;
  const bool with_truth = !a.truth.empty();
  auto generator = ads::Generator::make(*options, with_truth ? &truth : nullptr);
  if (!generator) return fail_command(console, generator.error());
  const bool endless = is_live(a) && a.duration.empty();
  io::ThreadExecutor executor(1);
  Interrupt interrupt(executor);
  auto delivery =
      Delivery::start(arguments.send, {executor, interrupt, console},
                      endless ? std::nullopt : std::optional<std::uint64_t>(options->events));
  if (!delivery) return fail_command(console, delivery.error());
  if (auto sent = send_generated(*generator, **delivery, is_live(a)); !sent)
    return (*delivery)->give_up(sent.error());
  const int code = (*delivery)->finish();
  if (code != kExitDone || !with_truth) return code;
  return write_truth(truth, (*delivery)->totals(), a.truth, console);
}

}  // namespace adbrook::app
