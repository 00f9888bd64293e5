// `import`: real events from files, merged by event time.
#include <algorithm>
#include <charconv>

#include "ads/import.h"
#include "app/commands.h"
#include "app/delivery.h"
#include "app/mapping_file.h"
#include "base/text.h"
#include "http/problem.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

constexpr std::uint64_t kMappingFileBytesMax = 1 << 20;

std::string letter_json(const ads::ImportItem& item) {
  std::string json = "{\"source\":";
  http::append_json_text(json, item.source);
  json += ",\"line\":" + std::to_string(item.line) + ",\"reason\":";
  http::append_json_text(json, to_string(item.refusal.reason));
  json += ",\"field\":";
  http::append_json_text(json, item.refusal.field);
  json += ",\"detail\":";
  http::append_json_text(json, item.refusal.detail);
  return json + ",\"bytes\":\"" + base64(item.bytes) + "\"}";
}

// How many times faster than it was event time passes; 0 = as fast as it goes.
Result<double> parse_speed(const std::string& text) {
  if (text == "max") return 0;
  double speed = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, speed);
  if (ec == std::errc{} && at + 1 == end && *at == 'x' && speed > 0) return speed;
  return fail(ErrorKind::invalid,
              "--speed '" + printable(text) + "': it must be max, or like 1x or 60x");
}

Result<void> choose_mapping(const ImportArguments& a, io::FileSystem& files,
                            ads::ImportOptions& options) {
  if (!a.mapping.empty()) {
    const auto text = io::read_whole_file(files, a.mapping, kMappingFileBytesMax);
    if (!text) return pass(text.error(), "--mapping");
    auto mapping = parse_mapping(as_text(*text), a.mapping);
    if (!mapping) return pass(std::move(mapping.error()));
    options.mapping = std::move(*mapping);
    return {};
  }
  const std::string name = a.as.empty() ? guess_mapping(a.files.front()) : a.as;
  if (name == "usagov" || name == "obd")
    options.built_in = name;
  else if (name == "impressions")
    options.mapping = plain_mapping(ads::EventKind::impression);
  else if (name == "clicks")
    options.mapping = plain_mapping(ads::EventKind::click);
  else {
    constexpr std::array<std::string_view, 4> kNames = {"usagov", "obd", "impressions", "clicks"};
    return fail(
        ErrorKind::invalid,
        (name.empty() ? "the name of " + printable(a.files.front()) + " does not tell what is in it"
                      : "--as '" + printable(name) + "': there is no such mapping" +
                            did_you_mean(name, kNames)) +
            "; say --as usagov, obd, impressions or clicks, or --mapping FILE");
  }
  return {};
}

// Sends everything; waits for each event's moment where a speed is asked for.
Result<void> send_items(ads::Importer& importer, Delivery& delivery, double speed) {
  ads::ImportItem item;
  std::optional<Timestamp> first;
  const Timestamp began = delivery.clock().now();
  while (importer.next(item)) {
    OutgoingEvent event{Lane::dead_letters, item.event_time, item.json};
    std::string letter;
    if (item.kind == ads::ImportItem::Kind::dead_letter) {
      letter = letter_json(item);
      event.json = letter;
    } else {
      event.lane = item.topic == ads::EventKind::impression ? Lane::impressions : Lane::clicks;
      if (!first) first = item.event_time;
      const auto passed = static_cast<double>((item.event_time - *first).count());
      if (speed > 0)
        if (auto paused = delivery.pause_until(
                began + Millis(static_cast<std::int64_t>(std::max(0.0, passed / speed))));
            !paused)
          return paused;
    }
    if (auto added = delivery.add(event); !added) return added;
  }
  return {};
}

void say_what_was_read(const ads::ImportTotals& totals, Console& console) {
  const auto count = [](std::uint64_t n) { return with_thousands(static_cast<long long>(n)); };
  console.say("read " + count(totals.rows) + " rows: " + count(totals.impressions) +
              " impressions, " + count(totals.clicks) + " clicks, " + count(totals.skipped) +
              " skipped by the mapping, " + count(totals.dead_letters) + " malformed");
}

}  // namespace

int run_import(const Arguments& arguments, Console& console) {
  const ImportArguments& a = arguments.import;
  io::RealFileSystem files;
  io::RealClock clock;
  ads::ImportOptions options;
  options.paths = a.files;
  if (a.retime) options.retime_to = clock.now();
  const auto speed = parse_speed(a.speed);
  if (!speed) return fail_command(console, speed.error());
  if (auto chosen = choose_mapping(a, files, options); !chosen)
    return fail_command(console, chosen.error());
  auto importer = ads::Importer::open(files, std::move(options));
  if (!importer) return fail_command(console, importer.error());
  io::ThreadExecutor executor(1);
  Interrupt interrupt(executor);
  auto delivery = Delivery::start(arguments.send, {executor, interrupt, console}, std::nullopt);
  if (!delivery) return fail_command(console, delivery.error());
  if (auto noted = (*delivery)->note_watermarks(); !noted)
    return (*delivery)->give_up(noted.error());
  if (auto sent = send_items(*importer, **delivery, *speed); !sent)
    return (*delivery)->give_up(sent.error());
  say_what_was_read(importer->totals(), console);
  const int code = (*delivery)->finish();
  for (const Error& error : importer->file_errors()) console.complain(error.message);
  return code == kExitDone && !importer->file_errors().empty() ? kExitNo : code;
}

}  // namespace adbrook::app
