// `cars`: the connected cars' own engine, drives from files, and the questions about them.
#include <boost/json.hpp>

#include "app/car_service.h"
#include "app/commands.h"
#include "app/interrupt.h"
#include "app/json_view.h"
#include "app/kafka_flags.h"
#include "app/progress.h"
#include "app/server_connection.h"
#include "base/text.h"
#include "bus/kafka_producer.h"
#include "cars/car_topology.h"
#include "cars/drive_file.h"
#include "io/real_file_system.h"

namespace adbrook::app {
namespace {

constexpr std::string_view kCarData = "./adbrook-cars";
constexpr Millis kPollWait{100};
// Where the first drive begins whose rows have no time of day, and how long a car stands still
// before the next one: a reading that is not younger than the one before raises no alert.
constexpr Timestamp kDriveStart{1'388'534'400'000};  // 2014-01-01T00:00:00Z
constexpr Millis kPause{10 * 60'000};

// A data directory of its own, unless somebody named one.
Result<LoadedSettings> load_car_settings(const SettingsArguments& arguments) {
  auto loaded = load_settings(arguments);
  if (!loaded) return loaded;
  for (const auto& [row, origin] : loaded->rows)
    if (row.key == "engine.data" && origin == SettingOrigin::built_in)
      loaded->settings.engine.data = kCarData;
  return loaded;
}

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

Result<std::vector<cars::Drive>> read_drives(const CarArguments& arguments, Console& console) {
  io::RealFileSystem files;
  std::vector<cars::Drive> drives;
  Timestamp start = kDriveStart;
  for (const std::string& path : arguments.files) {
    const auto content =
        io::read_whole_file(files, path, static_cast<std::uint64_t>(cars::kDriveFileSizeMax.count));
    if (!content) return pass(content.error());
    auto drive =
        cars::read_drive(*content, {.name = file_name(path), .car = arguments.car, .start = start});
    if (!drive) return pass(std::move(drive.error()), printable(path));
    console.say(printable(path) + ": car " + printable(drive->car) + ", route " +
                printable(drive->route) + ", " +
                with_thousands(static_cast<long long>(drive->readings.size())) + " readings of " +
                with_thousands(static_cast<long long>(drive->row_count)) + " rows" +
                (drive->odd_count == 0 ? ""
                                       : ", " + std::to_string(drive->odd_count) +
                                             " values that no working sensor says left out"));
    if (!drive->readings.empty() && drive->readings.front().time == start)
      start = drive->readings.back().time + kPause;
    drives.push_back(std::move(*drive));
  }
  return drives;
}

// What became of the readings that were sent.
struct Sent {
  std::uint64_t count = 0, acknowledged = 0;
  std::optional<Error> first_error;
};

// Waits for room as long as nobody interrupts.
Result<void> send(bus::KafkaProducer& producer, const bus::KafkaOutgoing& record,
                  std::uint64_t number, Interrupt& interrupt) {
  for (;;) {
    auto sent = producer.send(record, number);
    if (sent || sent.error().kind != ErrorKind::overloaded) return sent;
    if (interrupt.requested()) return fail(ErrorKind::closed, "interrupted");
    producer.poll(kPollWait);
  }
}

Result<Sent> send_drives(const std::vector<cars::Drive>& drives, const KafkaArguments& kafka,
                         Interrupt& interrupt, Console& console) {
  auto options = kafka_options(kafka);
  if (!options) return pass(std::move(options.error()));
  options->properties.insert(
      options->properties.begin(),
      {{"acks", "all"}, {"enable.idempotence", "true"}, {"message.timeout.ms", "60000"}});
  Sent result;
  auto producer = bus::KafkaProducer::open(*options, [&result](const bus::KafkaDelivery& delivery) {
    if (delivery.offset)
      ++result.acknowledged;
    else if (!result.first_error)
      result.first_error = delivery.offset.error();
  });
  if (!producer) return pass(std::move(producer.error()));
  std::uint64_t total = 0;
  for (const auto& drive : drives) total += drive.readings.size();
  io::RealClock clock;
  Progress progress(
      clock, "sending", "readings", total,
      [&console](std::string_view text) { console.say_piece(text); }, console.progress_options());
  for (const auto& drive : drives)
    for (cars::Telemetry reading : drive.readings) {
      reading.route = drive.route;
      const std::string json = to_json(reading);
      auto sent = send(*producer,
                       {.topic = std::string(cars::kTelemetryTopic),
                        .key = as_bytes(drive.car),
                        .value = as_bytes(json),
                        .headers = {}},
                       ++result.count, interrupt);
      if (!sent) return pass(std::move(sent.error()));
      producer->poll(Millis(0));
      progress.update(result.count);
    }
  while (producer->flush(kPollWait) > 0 && !interrupt.requested()) {
  }
  producer->abandon();
  progress.finish();
  return result;
}

Result<boost::json::value> ask(const Arguments& arguments, const std::string& target) {
  io::ThreadExecutor executor(1);
  auto server = ServerConnection::open(executor, arguments.server);
  if (!server) return pass(std::move(server.error()), "--server");
  const auto body = server->get(target);
  if (!body) return pass(body.error());
  boost::system::error_code broken;
  auto value = boost::json::parse(*body, broken);
  if (broken || !value.is_object())
    return fail(ErrorKind::io_failed,
                "the answer is no JSON object; does `adbrook cars serve` run behind --server?");
  return value;
}

// One array of the answer as a table; the plain fields go to stderr.
int print_rows(const Arguments& arguments, Console& console, const std::string& target,
               const char* rows) {
  const auto answer = ask(arguments, target);
  if (!answer) return fail_command(console, answer.error());
  const auto& object = answer->as_object();
  const auto* found = object.if_contains(rows);
  if (arguments.format == "json" || found == nullptr || !found->is_array()) {
    console.print(boost::json::serialize(*answer) + "\n");
    return kExitDone;
  }
  console.print(found->as_array().empty() ? std::string("no ") + rows + "\n"
                                          : print_table(table_of(found->as_array()),
                                                        parse_table_format(arguments.format)));
  for (const auto& [name, member] : object)
    if (!member.is_structured()) console.say(std::string(name) + "  " + printable(cell_of(member)));
  return kExitDone;
}

}  // namespace

int run_cars_serve(const Arguments& arguments, Console& console) {
  const auto loaded = load_car_settings(arguments.settings);
  if (!loaded) {
    console.complain(loaded.error().message);
    return kExitUsage;
  }
  return serve(*loaded, console, CarService::start, [&](Engine& engine, Interrupt& interrupt) {
    return serve_until_interrupted(engine, interrupt, console);
  });
}

int run_cars_import(const Arguments& arguments, Console& console) {
  const auto drives = read_drives(arguments.cars, console);
  if (!drives) return fail_command(console, drives.error());
  io::ThreadExecutor executor(1);
  Interrupt interrupt(executor);
  const auto sent = send_drives(*drives, arguments.kafka, interrupt, console);
  if (interrupt.requested()) return kExitInterrupted;
  if (!sent) return fail_kafka(console, sent.error());
  console.print(std::to_string(sent->acknowledged) + " of " + std::to_string(sent->count) +
                " readings are acknowledged\n");
  if (sent->first_error) return fail_kafka(console, *sent->first_error);
  return sent->acknowledged == sent->count ? kExitDone : kExitEnvironment;
}

int run_cars_alerts(const Arguments& arguments, Console& console) {
  return print_rows(arguments, console, "/v1/cars/alerts", "alerts");
}

int run_cars_routes(const Arguments& arguments, Console& console) {
  return print_rows(arguments, console, "/v1/cars/routes", "routes");
}

int run_cars_recompute(const Arguments& arguments, Console& console) {
  const auto answer = ask(arguments, "/v1/cars/recompute");
  if (!answer) return fail_command(console, answer.error());
  const auto& object = answer->as_object();
  const auto* equal = object.if_contains("equal");
  const bool holds = equal != nullptr && equal->is_bool() && equal->as_bool();
  if (arguments.format == "json")
    console.print(boost::json::serialize(*answer) + "\n");
  else
    console.print(show_json(*answer));
  return holds ? kExitDone : kExitNo;
}

}  // namespace adbrook::app
