// Where a record of an internal topic was first received, carried in one record header; drawn in
// docs/formats/task-changelog.md.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "record/batch.h"

namespace adbrook::stream {

struct RecordOrigin {
  std::int32_t partition = 0;
  Offset offset;
  Timestamp append_time;
  friend bool operator==(const RecordOrigin&, const RecordOrigin&) = default;
};

// Makes the header of one record after the other; a header is valid until the next one is made.
// Owned by one thread.
class OriginHeader {
 public:
  std::span<const record::Header> make(const RecordOrigin& origin);

 private:
  std::array<std::byte, 20> value_{};
  record::Header header_;
};

// Nothing when the record has not exactly one header of this kind.
std::optional<RecordOrigin> read_origin(const record::RecordView& record);

}  // namespace adbrook::stream
