// `produce`: lines or files as records, and what became of each.
#include <array>
#include <map>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/kafka_flags.h"
#include "app/line_splitter.h"
#include "app/record_format.h"
#include "app/table.h"
#include "base/text.h"
#include "bus/kafka_admin.h"
#include "bus/kafka_producer.h"
#include "io/input_stream.h"
#include "io/process.h"
#include "io/real_file_system.h"
#include "io/thread_executor.h"

namespace adbrook::app {
namespace {

constexpr std::size_t kReadSize = std::size_t{64} << 10;
constexpr Millis kLook{100};                  // how often Ctrl-C is looked for
constexpr Millis kPatienceAfterStop{10'000};  // for what was sent before Ctrl-C
constexpr std::size_t kFailuresShownMax = 10;

// Everything that became of the records.
struct Fate {
  struct Written {
    std::int64_t first = -1, last = -1, count = 0;
  };
  std::map<std::int32_t, Written> partitions;
  std::uint64_t taken = 0;  // records numbered so far
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::uint64_t empty = 0;
  std::vector<std::string> failures;
  std::optional<Error> first_error;

  void add_failure(std::uint64_t number, const Error& error) {
    ++failed;
    if (!first_error) first_error = error;
    if (failures.size() < kFailuresShownMax)
      failures.push_back("record " + std::to_string(number) + ": " + error.message);
  }
  void add(const bus::KafkaDelivery& delivery) {
    if (!delivery.offset) return add_failure(delivery.number, delivery.offset.error());
    ++acknowledged;
    auto& written = partitions[delivery.partition.number];
    const std::int64_t offset = delivery.offset->value;
    if (written.count == 0 || offset < written.first) written.first = offset;
    written.last = std::max(written.last, offset);
    ++written.count;
  }
};

struct Plan {
  bus::KafkaOutgoing record;  // what all of them share
  std::optional<std::string> key;
  std::string delimiter, key_delimiter;
  bool empty_is_null = false;
};

Result<Plan> plan_of(const KafkaArguments& a) {
  const ProduceArguments& p = a.produce;
  auto headers = split_pairs(p.headers, "--header");
  if (!headers) return pass(std::move(headers.error()));
  auto delimiter = unescape(p.delimiter, "--delimiter");
  if (!delimiter) return pass(std::move(delimiter.error()));
  if (delimiter->empty())
    return fail(ErrorKind::invalid,
                "--delimiter '': it must not be empty; say --whole-files to send each file whole");
  auto key_delimiter = unescape(p.key_delimiter, "--key-delimiter");
  if (!key_delimiter) return pass(std::move(key_delimiter.error()));
  Plan plan;
  plan.record = {a.name, p.partition, std::nullopt, std::nullopt, std::move(*headers)};
  if (!p.key.empty()) plan.key = p.key;
  plan.delimiter = std::move(*delimiter);
  plan.key_delimiter = std::move(*key_delimiter);
  plan.empty_is_null = p.empty_is_null;
  return plan;
}

// Properties that the flags mean; -X wins over them.
bus::KafkaOptions with_flags(bus::KafkaOptions options, const ProduceArguments& p) {
  std::vector<std::pair<std::string, std::string>> flags = {
      {"acks", p.acks},
      {"compression.type", p.compression},
      {"message.timeout.ms", "60000"},
      // With acks=all a retry neither doubles nor reorders records.
      {"enable.idempotence", p.acks == "all" ? "true" : "false"}};
  flags.insert(flags.end(), options.properties.begin(), options.properties.end());
  options.properties = std::move(flags);
  return options;
}

class Producing {
 public:
  Producing(Plan plan, Interrupt& interrupt, Console& console)
      : plan_(std::move(plan)), interrupt_(interrupt), console_(console) {}

  Result<void> open(const bus::KafkaOptions& options) {
    auto producer = bus::KafkaProducer::open(
        options, [this](const bus::KafkaDelivery& delivery) { fate_.add(delivery); });
    if (!producer) return pass(std::move(producer.error()));
    producer_.emplace(std::move(*producer));
    return {};
  }

  Result<void> send_lines(io::InputStream& input) {
    LineSplitter splitter(plan_.delimiter);
    std::vector<std::byte> piece(kReadSize);
    while (!interrupt_.requested()) {
      const auto size = input.read_some(piece, kLook);
      if (!size) return pass(size.error());
      producer_->poll(Millis(0));
      if (!*size) continue;
      if (**size == 0) {
        if (!splitter.rest().empty()) send_line(splitter.rest());
        return {};
      }
      splitter.add(as_text(ByteView(piece).first(**size)));
      while (const auto line = splitter.next()) {
        if (interrupt_.requested()) return {};
        send_line(*line);
      }
      if (splitter.is_too_long())
        return fail(ErrorKind::invalid, "record " + std::to_string(fate_.taken + 1) +
                                            " is longer than " +
                                            std::to_string(LineSplitter::kRecordSizeMax >> 20) +
                                            " MiB; is --delimiter right?");
    }
    return {};
  }

  void send_whole(ByteView content) {
    bus::KafkaOutgoing record = plan_.record;
    if (plan_.key) record.key = as_bytes(*plan_.key);
    record.value = content;
    send(record);
  }

  // Waits for all acknowledgements; after Ctrl-C only for a while.
  void finish() {
    Millis after_stop{0};
    bool said = false;
    while (const std::size_t left = producer_->flush(kLook)) {
      if (!interrupt_.requested()) continue;
      if (!said)
        console_.say("stopping: waiting for " + std::to_string(left) +
                     " records to be acknowledged (Ctrl-C again gives up at once)");
      said = true;
      after_stop += kLook;
      if (after_stop >= kPatienceAfterStop) break;
    }
    producer_->abandon();
  }

  const Fate& fate() const { return fate_; }

 private:
  void send_line(std::string_view line) {
    if (line.empty()) {
      ++fate_.empty;
      return;
    }
    auto [key, value] = split_key(line, plan_.key_delimiter);
    if (!key && plan_.key) key = *plan_.key;
    bus::KafkaOutgoing record = plan_.record;
    if (key && !(plan_.empty_is_null && key->empty())) record.key = as_bytes(*key);
    if (!(plan_.empty_is_null && value.empty())) record.value = as_bytes(value);
    send(record);
  }

  // A full queue makes it wait for acknowledgements; after Ctrl-C the record counts as failed.
  void send(const bus::KafkaOutgoing& record) {
    const std::uint64_t number = ++fate_.taken;
    for (;;) {
      const auto sent = producer_->send(record, number);
      if (sent) return;
      if (sent.error().kind != ErrorKind::overloaded || interrupt_.requested())
        return fate_.add_failure(number, sent.error());
      producer_->poll(kLook);
    }
  }

  Plan plan_;
  Interrupt& interrupt_;
  Console& console_;
  Fate fate_;
  std::optional<bus::KafkaProducer> producer_;  // last: deliveries go to fate_ until it is gone
};

Result<void> send_all(Producing& producing, const ProduceArguments& p, Interrupt& interrupt,
                      Console& console) {
  if (p.files.empty()) {
    if (io::is_terminal(io::StandardStream::in))
      console.say("reading lines; Ctrl-D ends them, Ctrl-C stops");
    auto input = io::InputStream::standard_input();
    return producing.send_lines(input);
  }
  io::RealFileSystem files;
  for (const auto& path : p.files) {
    if (interrupt.requested()) break;
    if (p.whole_files) {
      const auto content = io::read_whole_file(files, path, LineSplitter::kRecordSizeMax);
      if (!content) return pass(content.error());
      producing.send_whole(*content);
      continue;
    }
    auto input = path == "-" ? Result<io::InputStream>(io::InputStream::standard_input())
                             : io::InputStream::open(path);
    if (!input) return pass(input.error());
    if (auto sent = producing.send_lines(*input); !sent) return sent;
  }
  return {};
}

void print_fate(const Fate& fate, Console& console, bool json) {
  Table table{{{"partition", ColumnKind::number},
               {"first_offset", ColumnKind::number},
               {"last_offset", ColumnKind::number},
               {"records", ColumnKind::number}},
              {}};
  for (const auto& [number, written] : fate.partitions) {
    const auto offset = [](std::int64_t value) { return value < 0 ? "" : std::to_string(value); };
    table.rows.push_back({std::to_string(number), offset(written.first), offset(written.last),
                          std::to_string(written.count)});
  }
  if (json || !table.rows.empty())
    console.print(print_table(table, json ? TableFormat::json : TableFormat::table));
  const auto count = [](std::uint64_t n) { return with_thousands(static_cast<long long>(n)); };
  std::string said = count(fate.acknowledged) + " acknowledged";
  if (fate.failed > 0) said += ", " + count(fate.failed) + " not";
  if (fate.empty > 0) said += ", " + count(fate.empty) + " empty lines left out";
  console.say(said);
  for (const auto& failure : fate.failures) console.complain(failure);
  if (fate.failed > fate.failures.size())
    console.complain(count(fate.failed - fate.failures.size()) + " more were not acknowledged");
}

Result<void> check_target(const bus::KafkaOptions& options, const KafkaArguments& a) {
  auto admin = bus::KafkaAdmin::open(options);
  if (!admin) return pass(std::move(admin.error()));
  const auto topic = admin->topic(a.name);
  if (!topic) return pass(topic.error());
  if (a.produce.partition >= static_cast<int>(topic->partitions.size()))
    return fail(ErrorKind::not_found, "--partition " + std::to_string(a.produce.partition) +
                                          ": topic '" + printable(a.name) + "' has " +
                                          std::to_string(topic->partitions.size()) +
                                          " partitions, from 0 on");
  return {};
}

}  // namespace

int run_produce(const Arguments& arguments, Console& console) {
  const KafkaArguments& a = arguments.kafka;
  auto plan = plan_of(a);
  if (!plan) return fail_kafka(console, plan.error());
  const auto options = kafka_options(a);
  if (!options) return fail_kafka(console, options.error());
  if (a.produce.whole_files && a.produce.files.empty())
    return fail_kafka(console, {ErrorKind::invalid, "--whole-files: name the files to send"});
  if (auto checked = check_target(*options, a); !checked)
    return fail_kafka(console, checked.error());
  io::ThreadExecutor executor(1);
  Interrupt interrupt(executor);
  Producing producing(std::move(*plan), interrupt, console);
  if (auto opened = producing.open(with_flags(*options, a.produce)); !opened)
    return fail_kafka(console, opened.error());
  const auto sent = send_all(producing, a.produce, interrupt, console);
  producing.finish();
  const Fate& fate = producing.fate();
  print_fate(fate, console, arguments.json);
  if (!sent) return fail_kafka(console, sent.error());
  if (interrupt.requested()) return kExitInterrupted;
  if (!fate.first_error) return kExitDone;
  return fate.first_error->kind == ErrorKind::invalid ? kExitUsage : kExitEnvironment;
}

}  // namespace adbrook::app
