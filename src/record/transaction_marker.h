// The control batch that ends a transaction in one partition: one record that says how it ended.
// Described in docs/formats/record-batch.md.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "record/batch.h"

namespace adbrook::record {

enum class TransactionEnd : std::int16_t { abort = 0, commit = 1 };

struct TransactionMarker {
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  TransactionEnd end = TransactionEnd::abort;
  std::int32_t coordinator_epoch = 0;
};

Buffer build_transaction_marker(const TransactionMarker& marker, Timestamp time);

// invalid: not a control batch of one record, or one of another kind or version.
Result<TransactionMarker> read_transaction_marker(ByteView batch);

}  // namespace adbrook::record
