// Takes events and dead letters from outside into the log: parses and checks each one, encodes it
// as Avro, and appends all good ones of a request atomically. Knows nothing of HTTP.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ads/dead_letter.h"
#include "ads/event.h"
#include "ads/event_refusal.h"
#include "app/collector_metrics.h"
#include "app/redrive_body.h"
#include "app/topic_batches.h"
#include "base/metrics.h"
#include "io/clock.h"
#include "log/log.h"

namespace adbrook::app {

inline constexpr std::size_t kEventsPerRequestMax = 50'000;

struct RefusedItem {
  std::size_t index = 0;  // counts from 0 over all items of the request
  ads::Refusal refusal;
};

struct CollectAnswer {
  std::size_t accepted = 0;
  std::vector<RefusedItem> refused;
  // Not one item could be told to be an object of the right kind of text.
  bool nothing_readable = false;
};

enum class UnknownFields { keep, refuse };

// How the items of a body are put together: found out from its first byte, or one per line,
// whatever that byte is, so that a bad first line does not spoil the good ones behind it.
enum class BodyShape { automatic, lines };

// A check answers what a delivery would, and keeps nothing.
enum class BodyPurpose { deliver, check };

struct BodyRules {
  UnknownFields unknown = UnknownFields::keep;
  BodyPurpose purpose = BodyPurpose::deliver;
  BodyShape shape = BodyShape::automatic;
};

struct CollectorOptions {
  // Events later than the clock by more are refused; the tasks would refuse them anyway.
  Millis skew_cap{5 * 60'000};
  Bytes body_max = 16_MiB;
};

// Thread-safe. Log, clock and metrics must outlive it.
class Collector {
 public:
  // Called once: after everything accepted is durable, on a thread of the log; or at once, inside
  // the call, when nothing was accepted. invalid: no item could be found in the body; out_of_range:
  // more than kEventsPerRequestMax items; overloaded, disk_full: nothing was kept, try again;
  // io_failed, closed: the log is down.
  using Done = std::move_only_function<void(Result<CollectAnswer>)>;

  // not_found: a topic is missing.
  static Result<std::unique_ptr<Collector>> open(log::Log& log, io::Clock& clock, Metrics& metrics,
                                                 CollectorOptions options);
  ~Collector();

  // One JSON object, an array, or one object per line. The body is read before the call returns.
  void collect_impressions(std::string_view body, BodyRules rules, Done done);
  void collect_clicks(std::string_view body, BodyRules rules, Done done);
  // Lines that an importer could not read; see dead_letter_body.h.
  void collect_dead_letters(std::string_view body, BodyRules rules, Done done);
  // Dead letters that are sent again as events, see redrive_body.h. An event and the mark at its
  // letter become durable in one step, so that a letter is marked exactly when its event is there.
  void redrive(std::string_view body, BodyRules rules, Done done);

  // Single ones that were checked already; `source` is a word for the metrics.
  void append(const ads::Impression& impression, std::string_view source, Done done);
  void append(const ads::Click& click, std::string_view source, Done done);
  void append(const ads::DeadLetter& letter, Done done);

  Timestamp time_end() const;
  CollectorMetrics& metrics() { return metrics_; }

 private:
  struct Workspace;
  class Lease;

  Collector(log::Log& log, io::Clock& clock, Metrics& metrics, CollectorOptions options,
            std::vector<TopicPartitions> partitions);
  template <class Event>
  ads::Checked<void> gather(const ads::Checked<Event>& event,
                            std::span<const std::string_view> unknown, Workspace& workspace);
  template <class Event>
  ads::Checked<Uuid> gather_as(const Redrive& redrive, BodyRules rules, Workspace& workspace);
  ads::Checked<void> gather(const Redrive& redrive, BodyRules rules, Workspace& workspace);
  template <class Event>
  void collect(std::string_view body, BodyRules rules, Done done);
  template <class Event>
  void append_event(const Event& event, std::string_view source, Done done);
  void append_batches(std::vector<log::BatchToAppend> batches, CollectAnswer answer,
                      Counter& accepted, Done done);

  log::Log& log_;
  io::Clock& clock_;
  CollectorOptions options_;
  CollectorMetrics metrics_;
  std::vector<TopicPartitions> partitions_;  // by Place in collector.cc
  std::mutex mutex_;  // guards the idle workspaces: any thread may begin a request
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace adbrook::app
