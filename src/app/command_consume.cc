// `consume`: records of a topic as text, from any Kafka.
#include <algorithm>
#include <map>

#include "app/commands.h"
#include "app/interrupt.h"
#include "app/kafka_flags.h"
#include "app/offset_spec.h"
#include "app/record_format.h"
#include "app/value_text.h"
#include "base/text.h"
#include "bus/kafka_admin.h"
#include "bus/kafka_consumer.h"
#include "io/clock.h"
#include "io/process.h"
#include "io/thread_executor.h"

namespace adbrook::app {
namespace {

constexpr Millis kPollOnce{100};  // how often Ctrl-C is looked for
constexpr std::size_t kUncommittedMax = 500;

// Turns records into text as the flags say.
class Printer {
 public:
  static Result<Printer> make(const Arguments& arguments) {
    const ConsumeArguments& c = arguments.kafka.consume;
    auto format = RecordFormat::parse(c.format.empty() ? "%v\\n" : c.format);
    if (!format) return pass(std::move(format.error()));
    const bool escape = !c.raw && io::is_terminal(io::StandardStream::out);
    return Printer(std::move(*format), arguments.json, c.raw, escape);
  }

  void print(const bus::KafkaRecord& record, Console& console) {
    ShownValue value;
    if (raw_)
      value.text = record.value ? as_text(*record.value) : std::string_view();
    else
      value = values_.show(record.value);
    text_.clear();
    if (json_)
      append_record_json(text_, record, value);
    else
      format_.append(text_, record, value);
    console.print(escape_ ? without_controls(text_) : text_);
  }

 private:
  Printer(RecordFormat format, bool json, bool raw, bool escape)
      : format_(std::move(format)), json_(json), raw_(raw), escape_(escape) {}

  RecordFormat format_;
  bool json_, raw_, escape_;
  ValueText values_;
  std::string text_;
};

// The partitions of the topic that --partition wants.
Result<std::vector<bus::Partition>> chosen_partitions(bus::KafkaAdmin& admin,
                                                      const KafkaArguments& a) {
  const auto topic = admin.topic(a.name);
  if (!topic) return pass(topic.error());
  const auto& wanted = a.consume.partitions;
  for (const int number : wanted)
    if (number < 0 || number >= static_cast<int>(topic->partitions.size()))
      return fail(ErrorKind::not_found, "--partition " + std::to_string(number) + ": topic '" +
                                            printable(a.name) + "' has " +
                                            std::to_string(topic->partitions.size()) +
                                            " partitions, from 0 on");
  std::vector<bus::Partition> partitions;
  for (const auto& partition : topic->partitions)
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), partition.number) != wanted.end())
      partitions.push_back({topic->name, partition.number});
  return partitions;
}

struct Begin {
  std::vector<bus::Commit::Position> positions;
  std::vector<bus::Ends> ends;  // when it began, in the same order
};

Result<Begin> begin_of(bus::KafkaAdmin& admin, bus::KafkaConsumer& consumer,
                       const std::vector<bus::Partition>& partitions, const OffsetSpec& spec) {
  auto ends = consumer.ends(partitions);
  if (!ends) return pass(std::move(ends.error()));
  std::vector<std::optional<Offset>> at_time(partitions.size());
  if (spec.kind == OffsetSpec::Kind::time) {
    auto found = admin.offsets_at(partitions, spec.time);
    if (!found) return pass(std::move(found.error()));
    at_time = std::move(*found);
  }
  Begin begin{{}, std::move(*ends)};
  for (std::size_t i = 0; i < partitions.size(); ++i)
    begin.positions.push_back({partitions[i], resolve(spec, begin.ends[i], at_time[i])});
  return begin;
}

// Knows when --once is over: every partition has come to the end that it had at the beginning.
class OnceWatch {
 public:
  explicit OnceWatch(const Begin& begin) {
    for (std::size_t i = 0; i < begin.positions.size(); ++i)
      if (begin.positions[i].offset < begin.ends[i].end)
        open_[begin.positions[i].partition.number] = begin.ends[i].end;
  }
  // Whether it is one of those that were there when reading began.
  bool wants(const bus::KafkaRecord& record) const {
    const auto found = open_.find(record.partition);
    return found != open_.end() && record.offset < found->second;
  }
  void note(const bus::KafkaPolled& polled) {
    using Kind = bus::KafkaPolled::Kind;
    const auto found = open_.find(polled.record.partition);
    if (polled.kind == Kind::nothing || found == open_.end()) return;
    // The last offset may be a marker or compacted away: then only the end itself tells.
    const bool at_end = polled.kind == Kind::end_of_partition;
    if (at_end || polled.record.offset + 1 >= found->second) open_.erase(found);
  }
  bool over() const { return open_.empty(); }

 private:
  std::map<std::int32_t, Offset> open_;  // by partition number
};

struct Reading {
  bus::KafkaConsumer& consumer;
  Printer& printer;
  const Interrupt& interrupt;
  Console& console;
  std::int64_t count_max;  // 0: no limit
};

// False when what was printed cannot be written: nobody reads it any more.
bool flush(Console& console) { return console.finish(); }

Result<void> read_alone(Reading& r, const Begin& begin, bool once) {
  OnceWatch watch(begin);
  std::int64_t count = 0;
  while (!r.interrupt.requested() && !(once && watch.over())) {
    const auto polled = r.consumer.poll(kPollOnce);
    if (!polled) return pass(polled.error());
    if (polled->kind == bus::KafkaPolled::Kind::nothing && !flush(r.console)) return {};
    const bool is_record = polled->kind == bus::KafkaPolled::Kind::record;
    const bool wanted = is_record && (!once || watch.wants(polled->record));
    watch.note(*polled);
    if (!wanted) continue;
    r.printer.print(polled->record, r.console);
    if (++count == r.count_max) return {};
  }
  return {};
}

// What a member of a group has printed and not yet reported as done.
class Uncommitted {
 public:
  void add(const bus::KafkaRecord& record) {
    next_[{std::string(record.topic), record.partition}] = record.offset + 1;
    ++count_;
  }
  std::size_t count() const { return count_; }
  // Only what is on its way to the reader is done with.
  bool report(bus::KafkaConsumer& consumer, Console& console) {
    if (!flush(console)) return false;
    std::vector<bus::Commit::Position> positions;
    for (const auto& [partition, offset] : next_) positions.push_back({partition, offset});
    if (!positions.empty()) consumer.done_with(positions);
    next_.clear();
    count_ = 0;
    return true;
  }

 private:
  std::map<bus::Partition, Offset> next_;
  std::size_t count_ = 0;
};

// Every partition that this member has is at its end; none counts only after a while.
bool all_at_end(const bus::KafkaConsumer& consumer, const std::map<bus::Partition, bool>& at_end) {
  const auto assigned = consumer.assigned();
  return !assigned.empty() && std::all_of(assigned.begin(), assigned.end(), [&](const auto& p) {
    const auto found = at_end.find(p);
    return found != at_end.end() && found->second;
  });
}

Result<void> read_in_group(Reading& r, bool once) {
  Uncommitted uncommitted;
  std::map<bus::Partition, bool> at_end;
  std::int64_t count = 0;
  while (!r.interrupt.requested()) {
    const auto polled = r.consumer.poll(kPollOnce);
    if (!polled) return pass(polled.error());
    const auto& record = polled->record;
    const bool is_record = polled->kind == bus::KafkaPolled::Kind::record;
    if (polled->kind != bus::KafkaPolled::Kind::nothing)
      at_end[{std::string(record.topic), record.partition}] = !is_record;
    if (is_record) {
      r.printer.print(record, r.console);
      uncommitted.add(record);
    }
    const bool enough = is_record && ++count == r.count_max;
    if (!is_record || enough || uncommitted.count() >= kUncommittedMax)
      if (!uncommitted.report(r.consumer, r.console)) return {};
    if (enough || (once && !is_record && all_at_end(r.consumer, at_end))) break;
  }
  uncommitted.report(r.consumer, r.console);
  return r.consumer.close();
}

Result<void> consume_alone(const Arguments& arguments, const bus::KafkaOptions& options,
                           const OffsetSpec& spec, Printer& printer, const Interrupt& interrupt,
                           Console& console) {
  const ConsumeArguments& c = arguments.kafka.consume;
  auto admin = bus::KafkaAdmin::open(options);
  if (!admin) return pass(std::move(admin.error()));
  const auto partitions = chosen_partitions(*admin, arguments.kafka);
  if (!partitions) return pass(partitions.error());
  auto consumer = bus::KafkaConsumer::open(options);
  if (!consumer) return pass(std::move(consumer.error()));
  const auto begin = begin_of(*admin, *consumer, *partitions, spec);
  if (!begin) return pass(begin.error());
  if (auto started = consumer->start(begin->positions); !started) return started;
  Reading reading{*consumer, printer, interrupt, console, c.count};
  return read_alone(reading, *begin, c.once);
}

Result<void> consume_in_group(const Arguments& arguments, bus::KafkaOptions options,
                              const OffsetSpec& spec, Printer& printer, const Interrupt& interrupt,
                              Console& console) {
  const ConsumeArguments& c = arguments.kafka.consume;
  const bool at_end = spec.kind == OffsetSpec::Kind::end;
  if (!c.partitions.empty() || (!at_end && spec.kind != OffsetSpec::Kind::beginning))
    return fail(ErrorKind::invalid,
                "consume --group: the group decides on partitions and offsets; --offset may be "
                "beginning or end for what it has not committed (see `adbrook groups "
                "reset-offsets`)");
  auto admin = bus::KafkaAdmin::open(options);
  if (!admin) return pass(std::move(admin.error()));
  // Asked first: a group waits forever for a topic that does not exist.
  if (auto topic = admin->topic(arguments.kafka.name); !topic) return pass(topic.error());
  options.properties.insert(options.properties.begin(),
                            {"auto.offset.reset", at_end ? "latest" : "earliest"});
  auto consumer = bus::KafkaConsumer::join(options, c.group, arguments.kafka.name);
  if (!consumer) return pass(std::move(consumer.error()));
  Reading reading{*consumer, printer, interrupt, console, c.count};
  return read_in_group(reading, c.once);
}

}  // namespace

int run_consume(const Arguments& arguments, Console& console) {
  const ConsumeArguments& c = arguments.kafka.consume;
  io::RealClock clock;
  const auto spec = parse_offset_spec(c.offset, clock.now(), "--offset");
  if (!spec) return fail_kafka(console, spec.error());
  if (c.count < 0)
    return fail_kafka(console, {ErrorKind::invalid,
                                "--count " + std::to_string(c.count) + ": it must be positive"});
  auto printer = Printer::make(arguments);
  if (!printer) return fail_kafka(console, printer.error());
  const auto options = kafka_options(arguments.kafka);
  if (!options) return fail_kafka(console, options.error());
  io::ThreadExecutor executor(1);
  Interrupt interrupt(executor);
  const auto read =
      c.group.empty() ? consume_alone(arguments, *options, *spec, *printer, interrupt, console)
                      : consume_in_group(arguments, *options, *spec, *printer, interrupt, console);
  if (!read) return fail_kafka(console, read.error());
  return interrupt.requested() ? kExitInterrupted : kExitDone;
}

}  // namespace adbrook::app
