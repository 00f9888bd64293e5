// The conservation check: what was received must be exactly what ended, plus what still waits.
// Made from the tasks' own counts, their positions in the log and the cells; docs/click-join.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ads/report.h"
#include "stream/outcomes.h"
#include "stream/task_view.h"

namespace adbrook::ads {

// One partition of one topic from outside.
struct AuditRow {
  std::string topic;
  std::int32_t partition = 0;
  std::uint64_t received = 0;  // records read and committed
  std::array<std::uint64_t, stream::kOutcomeCount> ended{};
  std::uint64_t pending = 0;    // clicks that wait for their impression
  std::uint64_t under_way = 0;  // in an internal topic, read by nobody yet
  // Event time below which this partition expects nothing more; lowest() before its first event.
  Timestamp watermark = Timestamp::lowest();

  std::uint64_t ended_total() const;
};

struct OutcomeTotal {
  std::string topic;
  stream::Outcome outcome{};
  std::string reason;  // empty = none
  std::uint64_t count = 0;
};

struct Audit {
  std::vector<AuditRow> rows;
  std::vector<OutcomeTotal> outcomes;
  Freshness freshness;
  bool caught_up = false;   // everything that was in the log when it was asked for is in the sums
  std::int64_t behind = 0;  // records not committed yet
  std::vector<std::string> failures;  // the differing sums, as sentences; empty when all hold

  bool holds() const { return failures.empty(); }
};

// Collects what the tasks say, one after the other. Owned by one thread.
class AuditBuilder {
 public:
  explicit AuditBuilder(std::int32_t partition_count) : partition_count_(partition_count) {}

  void add(const stream::TaskView& task);
  // `caught_up`: nothing was appended that the tasks had not committed when they were asked.
  Audit finish(bool caught_up, std::int64_t behind) &&;

 private:
  void add_input(const stream::TaskView& task, std::uint16_t input);
  void check_cells(const stream::TaskView& task);
  AuditRow& row(const std::string& topic, std::int32_t partition);

  std::int32_t partition_count_;
  std::map<std::pair<std::string, std::int32_t>, AuditRow> rows_;
  std::map<std::tuple<std::string, stream::Outcome, std::string>, std::uint64_t> outcomes_;
  std::optional<Freshness> freshness_;
  std::vector<std::string> failures_;
};

std::string to_json(const Audit& audit);

}  // namespace adbrook::ads
