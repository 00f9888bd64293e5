// The two jobs of bench/streams in the stream library, over the real log in this one process.
//
//   streams_engine load yahoo|clicks --from FILE --data DIR
//   streams_engine run yahoo|clicks --data DIR --mode exactly-once|at-least-once|outputs-only
//                  --out FILE [--threads 2]
//
// at-least-once keeps changelog and checkpoints, but commits without positions and without waiting
// for the disk; outputs-only keeps nothing to begin again from.
//
// `run` prints "result cpu=SECONDS user=SECONDS wall=SECONDS rss=BYTES": of this process, from its
// start until all is committed and the tasks have stopped; user is the part outside of the kernel.
// FILE gets one line "key count" for each committed result.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "io/process.h"
#include "record/batch.h"
#include "recorded_file.h"
#include "serde/json_reader.h"
#include "stream/join/stream_join.h"
#include "stream/join/stream_table_join.h"
#include "stream/window/windowed_stream.h"
#include "stream_machine.h"
#include "weaker_bus.h"

namespace adbrook::bench {

// What is counted: the key says it all.
struct Nothing {};

}  // namespace adbrook::bench

namespace adbrook::stream {

// An id as its 36 characters in topics and 16 bytes here.
template <>
struct Serde<Uuid> {
  static void encode(const Uuid& id, Buffer& to) {
    const auto text = id.text();
    append(to, as_bytes({text.data(), text.size()}));
  }
  static bool decode(ByteView from, Uuid& out) {
    const auto id = Uuid::parse(as_text(from));
    if (id) out = *id;
    return id.has_value();
  }
};

template <>
struct Serde<bench::Nothing> {
  static void encode(bench::Nothing, Buffer&) {}
  static bool decode(ByteView, bench::Nothing&) { return true; }
};

}  // namespace adbrook::stream

namespace adbrook::bench {
namespace {

using namespace std::chrono_literals;
using stream::KeyedStream;
using stream::Refusal;
using stream::Topology;
using stream::TumblingWindow;

constexpr std::int32_t kPartitionCount = 4;
constexpr std::int32_t kBatchRecords = 1'000;
constexpr Millis kWindow = 10s;
constexpr Millis kJoinWithin = 60s;
constexpr Millis kDisorder = 2s;

template <class T>
T must(Result<T> result) {
  if (!result) stop_bench(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// ---- yahoo ----------------------------------------------------------------------------------

struct AdEvent {
  Uuid ad;
  bool view = false;
};

// All seven fields are read and checked, three are kept.
struct AdEventCodec {
  serde::JsonReader reader = serde::JsonReader();

  bool operator()(const record::RecordView& record, Uuid& key, AdEvent& event, Timestamp& time,
                  Refusal& why) {
    const auto fields = reader.object(as_text(record.value.value_or(ByteView{})));
    if (!fields) return refuse(why, "this is no JSON object");
    for (const serde::JsonField& field : *fields) {
      if (field.key == "event_type") {
        event.view = field.value.text == "view";
      } else if (field.key == "ad_id") {
        const auto ad = Uuid::parse(field.value.text);
        if (!ad) return refuse(why, "ad_id is no id");
        event.ad = *ad;
      } else if (field.key == "event_time") {
        const auto given = field.value.integer();
        if (!given) return refuse(why, "event_time is no number");
        time = {*given};
      }
    }
    key = event.ad;
    return true;
  }
  static bool refuse(Refusal& why, std::string_view text) {
    why = {"broken_event", "value", text};
    return false;
  }
};

template <class K>
void count_by_key(const KeyedStream<K, Nothing>& rows) {
  rows.group_by_key()
      .windowed_by(TumblingWindow{.size = kWindow})
      .count("counts")
      .final()
      .map("told",
           [](const stream::Windowed<K>& key, const std::int64_t& count) {
             std::string text;
             if constexpr (std::same_as<K, Uuid>)
               text = key.key.to_string();
             else
               text = std::to_string(key.key);
             return std::pair(text + "@" + std::to_string(key.window.start.ms),
                              std::to_string(count));
           })
      .to("counts");
}

void define_yahoo(Topology& topology) {
  const auto ads = topology.table<Uuid, Uuid>("ads", "ads");
  const auto campaigns =
      topology.stream<Uuid, AdEvent>("events", AdEventCodec{})
          .filter("views", [](const AdEvent& event) { return event.view; })
          .map_values("project", [](const AdEvent&) { return Nothing{}; })
          .join("campaign-of", ads, [](const Nothing&, const Uuid& campaign) { return campaign; });
  count_by_key(campaigns.map("by-campaign", [](const Uuid&, const Uuid& campaign) {
    return std::pair(campaign, Nothing{});
  }));
}

// ---- clicks ---------------------------------------------------------------------------------

// Both values begin with the event's time; an impression's campaign follows.
template <class V>
struct ClickJobCodec {
  bool operator()(const record::RecordView& record, Uuid& key, V& value, Timestamp& time,
                  Refusal& why) const {
    const ByteView bytes = record.value.value_or(ByteView{});
    const auto id = Uuid::parse(as_text(record.key.value_or(ByteView{})));
    if (!id || bytes.size() != 40) {
      why = {"broken_event", "value", "a key of 36 characters and a value of 40 bytes are needed"};
      return false;
    }
    key = *id;
    time = {load_be<std::int64_t>(bytes.data())};
    if constexpr (!std::same_as<V, Nothing>) value = load_be<V>(bytes.data() + 8);
    return true;
  }
};

void define_clicks(Topology& topology) {
  using Campaign = std::uint32_t;
  const auto impressions =
      topology.stream<Uuid, Campaign>("impressions", ClickJobCodec<Campaign>{});
  const auto clicks = topology.stream<Uuid, Nothing>("clicks", ClickJobCodec<Nothing>{});
  const auto joined = impressions.join(
      "click-join", clicks, stream::JoinWindows{.after = kJoinWithin, .store = {.budget = 512_MiB}},
      [](const Campaign& campaign, const Nothing&) { return campaign; });
  count_by_key(joined.map("by-campaign", [](const Uuid&, const Campaign& campaign) {
    return std::pair(campaign, Nothing{});
  }));
}

// ---- running --------------------------------------------------------------------------------

class Loader {
 public:
  Loader(log::Log& log, const std::string& job) : log_(log) {
    for (int topic = 0; topic < 2; ++topic) {
      const std::string name = topics_of_job(job)[topic];
      must(log.create_topic(name, kPartitionCount, {.durability = log::Durability::relaxed}));
      for (std::int32_t p = 0; p < kPartitionCount; ++p) ids_.push_back(*log.partition(name, p));
    }
    builders_.resize(ids_.size());
  }
  void add(const RecordedRecord& record) {
    const std::size_t at = record.topic * kPartitionCount + record.partition;
    builders_[at].add(record.time, as_bytes(record.key), as_bytes(record.value));
    if (builders_[at].count() == kBatchRecords) flush(at);
  }
  void finish() {
    for (std::size_t at = 0; at < builders_.size(); ++at)
      if (!builders_[at].empty()) flush(at);
  }

 private:
  void flush(std::size_t at) {
    log::Append append;
    append.batches.push_back({ids_[at], builders_[at].finish()});
    std::promise<Result<void>> done;
    log_.append(std::move(append), [&](Result<std::vector<log::AppendedBatch>> appended) {
      done.set_value(appended ? Result<void>{} : pass(appended.error()));
    });
    must(done.get_future().get());
  }
  log::Log& log_;
  std::vector<log::PartitionId> ids_;
  std::vector<record::BatchBuilder> builders_;
};

int load(const std::string& job, std::map<std::string, std::string>& flags) {
  StreamMachine machine(1);
  must(machine.open(flags["--data"] + "/log"));
  Loader loader(machine.log(), job);
  RecordedFile file(flags["--from"], "rb");
  RecordedRecord record;
  while (file.read(record)) loader.add(record);
  loader.finish();
  must(machine.close());
  return 0;
}

void make_topics(log::Log& log, const stream::TopologyTopics& topics, log::Durability durability) {
  for (const auto& names : {topics.internal, topics.outputs, std::vector{topics.changelog}})
    for (const std::string& name : names) {
      if (auto gone = log.delete_topic(name); !gone && gone.error().kind != ErrorKind::not_found)
        must(std::move(gone));
      must(log.create_topic(name, kPartitionCount, {.durability = durability}));
    }
}

void write_counts(bus::Bus& bus, const std::string& path) {
  std::FILE* out = std::fopen(path.c_str(), "w");
  if (out == nullptr) stop_bench("cannot write " + path);
  for (std::int32_t p = 0; p < kPartitionCount; ++p) {
    const bus::Ends ends = must(bus.ends({"counts", p}));
    for (Offset at = ends.start; at < ends.end;) {
      const bus::Fetched fetched = must(bus.fetch({"counts", p}, at, 1 << 20));
      for (const auto& batch : fetched.batches) {
        auto reader = must(record::BatchReader::open(
            ByteView(fetched.bytes).subspan(batch.index_begin, batch.size), 64_MiB));
        record::RecordView view;
        while (must(reader.next(view)))
          std::fprintf(out, "%s %s\n", std::string(as_text(*view.key)).c_str(),
                       std::string(as_text(*view.value)).c_str());
      }
      at = fetched.next;
    }
  }
  if (std::fclose(out) != 0) stop_bench("cannot write " + path);
}

int run(const std::string& job, std::map<std::string, std::string>& flags) {
  const std::string& mode = flags["--mode"];
  if (mode != "exactly-once" && mode != "at-least-once" && mode != "outputs-only")
    stop_bench("there is no mode " + mode + "; see the head of bench/streams_engine.cc");
  const bool exactly_once = mode == "exactly-once", keeps_nothing = mode == "outputs-only";
  const stream::TopologyFactory define = job == "yahoo" ? define_yahoo : define_clicks;
  StreamMachine machine(std::max(1, std::atoi(flags["--threads"].c_str())));
  const Nanos begin = machine.clock().monotonic();
  must(machine.open(flags["--data"] + "/log"));
  // New for each run, so that none finds what another one left.
  const std::string group = job + "-" + mode + "-" + std::to_string(io::process_id());
  const stream::TopologyTopics topics = stream::topics_of(define, group);
  make_topics(machine.log(), topics,
              exactly_once ? log::Durability::sync : log::Durability::relaxed);
  stream::StreamOptions options;
  options.disorder = kDisorder;
  options.skew_cap = 24h;  // the last records of the input close all windows
  if (keeps_nothing) options.checkpoint_events = 1'000'000'000;
  WeakerBus weaker(machine.bus(), keeps_nothing ? std::optional(topics.changelog) : std::nullopt);
  bus::Bus& bus = exactly_once ? machine.bus() : weaker;
  {
    stream::TaskRunner tasks(machine.places(bus), group, flags["--data"] + "/state", define,
                             options);
    must(tasks.start());
    must(wait_until_caught_up(tasks));
    wait_until_quiet(tasks);
    stop_and_wait(tasks);
    if (const auto trouble = tasks.trouble(); !trouble.empty()) stop_bench(trouble);
  }
  const double cpu = std::chrono::duration<double>(io::cpu_time()).count();
  const double user = std::chrono::duration<double>(io::user_cpu_time()).count();
  const double wall = std::chrono::duration<double>(machine.clock().monotonic() - begin).count();
  write_counts(machine.bus(), flags["--out"]);
  must(machine.close());
  std::printf("result cpu=%.3f user=%.3f wall=%.3f rss=%ld\n", cpu, user, wall,
              io::resident_bytes_max());
  return 0;
}

}  // namespace
}  // namespace adbrook::bench

int main(int argc, char** argv) {
  using namespace adbrook::bench;
  std::map<std::string, std::string> flags = {
      {"--from", ""}, {"--data", ""}, {"--out", ""}, {"--mode", ""}, {"--threads", "2"}};
  if (argc < 3) stop_bench("usage: streams_engine load|run yahoo|clicks --flag value …");
  for (int i = 3; i + 1 < argc; i += 2) {
    if (!flags.contains(argv[i])) stop_bench("there is no flag " + std::string(argv[i]));
    flags[argv[i]] = argv[i + 1];
  }
  const std::string command = argv[1];
  topics_of_job(argv[2]);  // refuses what is none
  return command == "load" ? load(argv[2], flags) : run(argv[2], flags);
}
