// The changelog of a task: the list of the steps it took, one record per commit, and one more for
// each part but the last of a commit whose outputs are too many for one append. State is a
// function of these steps and the retained inputs, so nothing else is logged. Drawn in
// docs/formats/task-changelog.md.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace adbrook::stream {

struct Step {
  enum class Kind : std::uint8_t {
    records = 1,  // the records [first, end) of the input were processed
    advance = 2,  // the input's watermark was moved to `watermark`
    clock = 3,    // timers by the wall clock were told that it is `watermark`
  };
  Kind kind = Kind::records;
  std::uint16_t input = 0;
  Offset first, end;
  Timestamp watermark;
  friend bool operator==(const Step&, const Step&) = default;

  static Step of_records(std::uint16_t input, Offset first, Offset end) {
    return {Kind::records, input, first, end, {}};
  }
  static Step of_clock(Timestamp now) { return {Kind::clock, 0, {}, {}, now}; }
  static Step of_advance(std::uint16_t input, Timestamp watermark) {
    return {Kind::advance, input, {}, {}, watermark};
  }
};

// Steps of one commit; more make the task commit early and wait.
inline constexpr std::size_t kStepsPerCommitMax = 65'536;

struct CommitRecord {
  std::uint64_t number = 0;       // 1, 2, 3, … of this task
  std::uint64_t fingerprint = 0;  // of the topology that took the steps
  Timestamp watermark;            // of the task after them
  std::uint64_t digest = 0;       // OutcomeCounts::digest() after them
  // Not 0: the commit is not whole with this record. So many of its output records, in the order
  // in which they are committed, are in their topics then.
  std::uint64_t written_count = 0;
  std::vector<Step> steps;
  friend bool operator==(const CommitRecord&, const CommitRecord&) = default;
};

void encode(const CommitRecord& record, Buffer& to);
// corrupt when the bytes are not exactly one record; unsupported when a newer version wrote them.
Result<CommitRecord> decode_commit_record(ByteView from);

}  // namespace adbrook::stream
